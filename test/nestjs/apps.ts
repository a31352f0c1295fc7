import 'reflect-metadata'
import type { Server } from 'node:http'
import { type INestApplication, Module, type ModuleMetadata } from '@nestjs/common'
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { HooklayerModule, type HooklayerModuleOptions } from 'hooklayer/nestjs'
import type { Listening } from '../contracts/adapter/host.ts'
import { listeningOn } from '../contracts/adapter/listen.ts'
import { SECRETS } from '../contracts/adapter/secrets.ts'
import { recordingLogger } from '../deliveries.ts'

export type Platform = 'Express' | 'Fastify'

export const PLATFORMS: readonly Platform[] = ['Express', 'Fastify']

const ADAPTERS: Readonly<Record<Platform, () => AbstractHttpAdapter>> = {
  Express: () => new ExpressAdapter(),
  Fastify: () => new FastifyAdapter(),
}

/** The module with the secrets of the tests. */
export function withSecrets(options: Partial<HooklayerModuleOptions> = {}) {
  return HooklayerModule.forRoot({ secrets: SECRETS, logger: recordingLogger().logger, ...options })
}

/** Creates an application as a `main.ts` does. Errors are thrown, where Nest would end the process. */
export async function createApp(platform: Platform, metadata: ModuleMetadata): Promise<INestApplication> {
  class AppModule {}
  Module(metadata)(AppModule)
  return NestFactory.create(AppModule, ADAPTERS[platform](), { logger: false, abortOnError: false })
}

/** Listens on a free port. */
export async function listenTo(app: INestApplication, path = '/webhooks'): Promise<Listening> {
  const server: Server = await app.listen(0, '127.0.0.1')
  const { url } = listeningOn(server, path)
  return {
    url,
    async close() {
      server.closeAllConnections()
      const closed = app.close()
      server.closeAllConnections()
      await closed
    },
  }
}
