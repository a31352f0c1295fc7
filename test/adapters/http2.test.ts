import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createSecureServer, createServer } from 'node:http2'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createNodeListener } from 'hooklayer/node'
import { expect, it } from 'vitest'
import { createHttp2Listener } from '../../examples/custom-adapter/http2-adapter.js'
import { HANDLED, ORDER } from '../contracts/adapter/deliveries.ts'
import { testHttp2Adapter } from '../contracts/adapter/http2.ts'
import { listenHttp2 } from '../contracts/adapter/listen-http2.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'
import { openSession } from '../contracts/adapter/stream-client.ts'
import { createRecorder } from './mounts.ts'

const receiver = createScenarioReceiver()

testHttp2Adapter('node:http2', () => listenHttp2(createServer(createNodeListener(receiver))))

testHttp2Adapter(
  'the custom adapter of the examples',
  () => listenHttp2(createServer().on('stream', createHttp2Listener(receiver))),
  { draining: 'it ends the stream as soon as it has answered, which HTTP/2 allows' },
)

it('node:http2 over TLS handles deliveries of HTTP/2 and of HTTP/1.1 on one port', async () => {
  const { receiver, handled } = createRecorder()
  const { key, cert } = createCertificate()
  const server = createSecureServer({ key, cert, allowHTTP1: true }, createNodeListener(receiver))
  const host = await listenHttp2(server, { scheme: 'https' })
  const client = await openSession(host, { ca: cert })
  const streamed = await client.send(ORDER)
  expect([client.session.alpnProtocol, streamed.status, streamed.body]).toEqual(['h2', 200, HANDLED])
  const plain = request(host.url, { method: 'POST', headers: ORDER.headers, ca: cert, agent: false })
  plain.end(ORDER.body)
  const [answer] = await once(plain, 'response')
  expect([answer.httpVersion, answer.statusCode, await text(answer)]).toEqual(['1.1', 200, HANDLED])
  expect(handled).toHaveLength(2)
  client.session.destroy()
  await host.close()
})

it('node:http2 ends a session once its server was closed, after the answer', async () => {
  const answering = createNodeListener(createRecorder().receiver)
  const server = createServer((request, response) => {
    server.close()
    void answering(request, response)
  })
  const host = await listenHttp2(server)
  const closed = once(server, 'close')
  const client = await openSession(host)
  expect((await client.send(ORDER)).status).toBe(200)
  await closed
})

/** A certificate for 127.0.0.1, signed by itself. */
function createCertificate(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const made = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return made
}
