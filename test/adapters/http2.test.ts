import { createServer } from 'node:http2'
import { createNodeListener } from 'hooklayer/node'
import { testHttp2Adapter } from '../contracts/adapter/http2.ts'
import { listenHttp2 } from '../contracts/adapter/listen-http2.ts'
import { createScenarioReceiver } from '../contracts/adapter/receiver-under-test.ts'

testHttp2Adapter('node:http2', () => listenHttp2(createServer(createNodeListener(createScenarioReceiver()))))
