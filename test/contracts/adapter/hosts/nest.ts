import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { HooklayerModule, HooklayerService } from 'hooklayer/nestjs'
import { createScenarioReceiver } from '../receiver-under-test.ts'
import { SECRETS } from '../secrets.ts'

/** `node host.mjs Express|Fastify [testing [rawBody]]`: an application, or that of a testing module. */
const [platform, testing, rawBody] = process.argv.slice(2)
const imports = [HooklayerModule.forRoot({ secrets: SECRETS })]
class AppModule {}
Module({ imports })(AppModule)

const adapter = platform === 'Fastify' ? new FastifyAdapter() : new ExpressAdapter()
const options = { logger: false, rawBody: rawBody !== undefined } as const
const app = testing
  ? (await Test.createTestingModule({ imports }).compile()).createNestApplication(adapter, options)
  : await NestFactory.create(AppModule, adapter, { logger: false })
Object.assign(app.get(HooklayerService).receiver, createScenarioReceiver())
await app.listen(0, '127.0.0.1')
console.log(`${await app.getUrl()}/webhooks`)
