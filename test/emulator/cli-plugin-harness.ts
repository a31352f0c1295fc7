import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'
import type { EmulatorOptions } from 'hooklayer/emulator'
import { onTestFinished } from 'vitest'
import { type EmulatorHarness, startEmulatorForTest } from './harness.ts'

const require = createRequire(import.meta.url)
const PRELOAD = new URL('./cli-plugin-preload.js', import.meta.url)
const OPENSSL = 'openssl'
const plugin = findPlugin()

/** Why the command line cannot be tested, or `undefined` if it can. */
export const skipReason: string | undefined = plugin
  ? spawnSync(OPENSSL, ['version']).error && 'no openssl on PATH'
  : '@commercelayer/cli-plugin-webhooks is not installed'

interface Exit {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface PluginHarness extends EmulatorHarness {
  /** Runs a command of the plugin with organization, domain and token, as `cl` itself does. */
  cl(command: string, ...args: string[]): Promise<Exit>
  /** Runs Node in the environment of `cl`. */
  node(...args: string[]): Promise<Exit>
}

/** Starts an emulator that answers as `https://acme.commercelayer.io` to the programs that the harness runs. */
export async function startPluginHarness(options?: EmulatorOptions): Promise<PluginHarness> {
  const harness = await startEmulatorForTest({ ...options, organization: 'acme' })
  const folder = mkdtempSync(join(tmpdir(), 'hooklayer-cl-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const certificate = makeCertificate(folder)
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    NO_COLOR: '1',
    NO_UPDATE_NOTIFIER: '1',
    NODE_OPTIONS: `--import=${PRELOAD}`,
    NODE_EXTRA_CA_CERTS: certificate,
    PLATFORM_PORT: String(await startFront(harness.emulator.url, readFileSync(certificate))),
  }
  const node: PluginHarness['node'] = (...args) =>
    promisify(execFile)(process.execPath, args, { env, timeout: 10_000 }).then(
      (output) => ({ ...output, code: 0 }),
      (error: Exit) => error,
    )
  const session = ['--organization', 'acme', '--domain', 'commercelayer.io', '--accessToken', harness.token]
  return { ...harness, node, cl: (command, ...args) => node(plugin ?? '', command, ...session, ...args) }
}

/** Starts a TLS server in front of an emulator, and returns its port. */
async function startFront(url: string, pem: Buffer): Promise<number> {
  const { port, hostname } = new URL(url)
  const front = createServer({ key: pem, cert: pem }, (socket) => {
    pipeline(socket, connect(Number(port), hostname), socket, () => {})
  })
  onTestFinished(() => void front.close())
  await once(front.listen(0, '127.0.0.1'), 'listening')
  return (front.address() as AddressInfo).port
}

/** Creates a file with a certificate for the hosts of Commerce Layer, and its key. */
function makeCertificate(folder: string): string {
  const file = join(folder, 'platform.pem')
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file]
  const subject = ['-subj', '/CN=commercelayer.io', '-addext', 'subjectAltName=DNS:*.commercelayer.io']
  execFileSync(OPENSSL, ['req', '-x509', '-days', '1', ...key, ...subject, '-out', file], { stdio: 'pipe' })
  return file
}

function findPlugin(): string | undefined {
  try {
    return require.resolve('@commercelayer/cli-plugin-webhooks/bin/run.js')
  } catch {
    return undefined
  }
}
