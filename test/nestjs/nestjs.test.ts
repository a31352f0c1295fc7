import {
  Body,
  type CanActivate,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type NestInterceptor,
  type PipeTransform,
  Post,
  Scope,
  UnauthorizedException,
  VersioningType,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Test } from '@nestjs/testing'
import type { WebhookEvent } from 'hooklayer'
import { createMemoryInbox } from 'hooklayer/inboxes/memory'
import { HooklayerModule, type HooklayerModuleOptions, HooklayerService, OnWebhook } from 'hooklayer/nestjs'
import { TEST_SECRET } from 'hooklayer/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { customerText, HANDLED, ORDER, orderText, sentAs } from '../contracts/adapter/deliveries.ts'
import { send } from '../contracts/adapter/harness.ts'
import type { Listening } from '../contracts/adapter/host.ts'
import { SECRETS } from '../contracts/adapter/secrets.ts'
import { waitFor } from '../wait-for.ts'
import { createApp, listenTo, PLATFORMS, type Platform, withSecrets } from './apps.ts'

/** Where the handlers note what they were given. */
const noted: string[] = []
const open: Listening[] = []
afterEach(async () => {
  noted.length = 0
  await Promise.all(open.splice(0).map((one) => one.close()))
})

@Injectable()
class Erp {
  send(number: unknown): void {
    noted.push(`order ${number}`)
  }
}

@Injectable()
class OrderHandlers {
  constructor(@Inject(Erp) private readonly erp: Erp) {}

  @OnWebhook('orders.place', { include: ['customer'], name: 'send-to-erp' })
  place({ resource: order }: WebhookEvent<'orders.place', 'customer'>): void {
    this.erp.send(order.number)
  }

  @OnWebhook(['customers.create', 'orders.create'])
  @OnWebhook('galaxies.explode')
  async note({ topic }: { topic: string }): Promise<void> {
    noted.push(topic)
  }
}

const SHOP: ModuleMetadata = { imports: [withSecrets()], providers: [Erp, OrderHandlers] }

async function start(platform: Platform, metadata: ModuleMetadata, path?: string): Promise<Listening> {
  const listening = await listenTo(await createApp(platform, metadata), path)
  open.push(listening)
  return listening
}

/** What a promise rejects with. */
async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error) => error,
  )
}

describe.each(PLATFORMS)('HooklayerModule on %s', (platform) => {
  it('calls the decorated methods of providers, with what was injected into them', async () => {
    const target = await start(platform, SHOP)
    const answer = await send(target, ORDER)
    expect([answer.status, answer.text]).toEqual([200, HANDLED])
    for (const [topic, text] of [
      ['customers.create', customerText()],
      ['orders.create', orderText()],
      ['galaxies.explode', '{"data":{"id":"GaLaXyIdAa","type":"galaxies"}}'],
    ] as const) {
      expect((await send(target, sentAs(topic, text))).text).toBe(HANDLED)
    }
    expect(noted).toEqual(['order 1234', 'customers.create', 'orders.create', 'galaxies.explode'])
  })

  it('receives a body over 100 kB, while the parser of other routes stays as it is', async () => {
    @Controller()
    class Others {
      @Post('others')
      echo(@Body() body: unknown) {
        return { parsed: body }
      }
    }
    const target = await start(platform, { ...SHOP, controllers: [Others] })
    const big = sentAs('orders.place', orderText({ padding: 1_500_000 }))
    expect((await send(target, big)).text).toBe(HANDLED)
    const others = { url: target.url.replace('/webhooks', '/others') }
    const json = { headers: { 'content-type': 'application/json' }, body: Buffer.from('{"a":1}') }
    expect((await send(others, json)).body).toEqual({ parsed: { a: 1 } })
  })

  it('receives at the path of the option, whatever global prefix, versions, guards, pipes and interceptors are', async () => {
    const refuse: CanActivate = { canActivate: () => false }
    const fail: PipeTransform & NestInterceptor = {
      transform: () => {
        throw new UnauthorizedException()
      },
      intercept: () => {
        throw new UnauthorizedException()
      },
    }
    const path = '/hooks/commerce-layer'
    const app = await createApp(platform, { imports: [withSecrets({ path })], providers: [Erp, OrderHandlers] })
    app.setGlobalPrefix('api')
    app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
    app.useGlobalGuards(refuse).useGlobalPipes(fail).useGlobalInterceptors(fail)
    app.enableCors()
    const target = await listenTo(app, path)
    open.push(target)
    expect((await send(target, ORDER)).text).toBe(HANDLED)
    expect((await send({ url: `${target.url}/?a=1` }, ORDER)).text).toBe(HANDLED)
    expect((await send({ url: target.url.replace(path, `/api/v1${path}`) }, ORDER)).status).toBe(404)
  })

  it('leaves the paths below its own to controllers', async () => {
    @Controller('webhooks')
    class Others {
      @Get('others')
      others() {
        return 'mine'
      }
    }
    const { url } = await start(platform, { ...SHOP, controllers: [Others] })
    expect((await send({ url: `${url}/others` }, ORDER, 'get')).text).toBe('mine')
    expect((await send({ url: `${url}s` }, ORDER)).status).toBe(404)
  })

  it('receives in a testing module that was compiled before there was a server', async () => {
    const testing = await Test.createTestingModule(SHOP).compile()
    const adapter = (await createApp(platform, {})).getHttpAdapter()
    const app = testing.createNestApplication(adapter, { logger: false })
    const target = await listenTo(app)
    open.push(target)
    const big = sentAs('orders.place', orderText({ padding: 200_000 }))
    expect((await send(target, big)).text).toBe(HANDLED)
  })

  it('takes options that are made asynchronously, from what another module exports', async () => {
    @Injectable()
    class Config {
      readonly secrets = SECRETS
    }
    @Module({ providers: [Config], exports: [Config] })
    class ConfigModule {}
    const module = HooklayerModule.forRootAsync({
      imports: [ConfigModule],
      inject: [Config],
      useFactory: async ({ secrets }: Config): Promise<HooklayerModuleOptions> => ({ secrets }),
    })
    const target = await start(platform, { imports: [module], providers: [Erp, OrderHandlers] })
    expect((await send(target, ORDER)).text).toBe(HANDLED)
  })

  it('calls the decorated methods of controllers, too, and each once where a provider has several tokens', async () => {
    @Controller()
    class Both {
      @OnWebhook('orders.place')
      place() {
        noted.push('controller')
      }
    }
    const alias = { provide: 'ALIAS', useExisting: OrderHandlers }
    const target = await start(platform, { ...SHOP, providers: [Erp, OrderHandlers, alias], controllers: [Both] })
    expect((await send(target, ORDER)).text).toBe(HANDLED)
    expect(noted.sort()).toEqual(['controller', 'order 1234'])
  })

  it('answers the deliveries under way before the application has shut down, and 503 none of them', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    @Injectable()
    class Slow {
      @OnWebhook('orders.place')
      async place() {
        noted.push('begun')
        await released
        noted.push('ended')
      }
    }
    const app = await createApp(platform, { imports: [withSecrets()], providers: [Slow] })
    const target = await listenTo(app)
    const answer = send(target, ORDER)
    await waitFor(() => expect(noted).toEqual(['begun']))
    const closed = app.close().then(() => noted.push('closed'))
    await new Promise((later) => setTimeout(later, 50))
    release()
    expect((await answer).text).toBe(HANDLED)
    await closed
    expect(noted).toEqual(['begun', 'ended', 'closed'])
    const after = await app.get(HooklayerService).receiver.receive(ORDER)
    expect(after.status).toBe(503)
  })
})

describe('HooklayerModule', () => {
  it('gives its receiver to those who inject the service', async () => {
    @Injectable()
    class Support {
      constructor(@Inject(HooklayerService) private readonly hooklayer: HooklayerService) {}
      redeliver() {
        return this.hooklayer.receiver.redeliver('orders.place', JSON.parse(orderText()))
      }
    }
    @Module({ providers: [Support], exports: [Support] })
    class SupportModule {}
    const app = await createApp('Express', { ...SHOP, imports: [withSecrets(), SupportModule] })
    await app.init()
    expect(await app.get(Support).redeliver()).toBe('handled')
    expect(noted).toEqual(['order 1234'])
    await app.close()
  })

  it('starts a worker for its inbox, and stops it while what the handlers need is still there', async () => {
    const inbox = createMemoryInbox()
    const close = vi.spyOn(inbox, 'close')
    let isDatabaseOpen = true
    @Injectable()
    class Work {
      @OnWebhook('orders.place')
      async place() {
        noted.push('begun')
        await new Promise((later) => setTimeout(later, 100))
        noted.push(`ended, database ${isDatabaseOpen ? 'open' : 'closed'}`)
      }
      onApplicationShutdown() {
        isDatabaseOpen = false
      }
    }
    const imports = [withSecrets({ inbox, worker: { concurrency: 2 } })]
    const app = await createApp('Express', { imports, providers: [Work] })
    const { url } = await listenTo(app)
    expect((await send({ url }, ORDER)).status).toBe(202)
    await waitFor(() => expect(noted).toEqual(['begun']))
    await app.close()
    expect(noted).toEqual(['begun', 'ended, database open'])
    expect(close).toHaveBeenCalledOnce()
  })

  it('runs its worker in an application without a server', async () => {
    const inbox = createMemoryInbox()
    const receiving = await createApp('Express', { imports: [withSecrets({ inbox })] })
    const { url } = await listenTo(receiving)
    expect((await send({ url }, ORDER)).status).toBe(202)
    class WorkerModule {}
    Module({ imports: [withSecrets({ inbox, worker: true })], providers: [Erp, OrderHandlers] })(WorkerModule)
    const worker = await NestFactory.createApplicationContext(WorkerModule, { logger: false, abortOnError: false })
    await waitFor(() => expect(noted).toEqual(['order 1234']))
    await worker.close()
    await receiving.close()
  })

  it.each<[string, Partial<HooklayerModuleOptions>, string]>([
    ['a path that is no path', { path: 'webhooks' }, '`path` must be a path such as /webhooks'],
    ['a path with a pattern', { path: '/:any' }, '`path` must be a path such as /webhooks'],
    ['the root as a path', { path: '/' }, '`path` must be a path such as /webhooks'],
    ['a worker without an inbox', { worker: true }, '`worker` needs an `inbox`'],
    ['a worker for an inbox of a pushed queue', { worker: true, inbox: { put: async () => 'stored' } }, '`consume`'],
    [
      'a time to stop that is none',
      { worker: { stopTimeoutMs: 0 }, inbox: createMemoryInbox() },
      '`stopTimeoutMs` must be',
    ],
    [
      'an option that there is not',
      { secret: TEST_SECRET } as object,
      'has no option `secret`. Did you mean `secrets`?',
    ],
  ])('refuses %s when the application is created', async (_, options, message) => {
    const error = await errorOf(createApp('Express', { imports: [withSecrets(options)] }))
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).toContain(message)
  })

  it.each([
    ['a request', Scope.REQUEST],
    ['each consumer', Scope.TRANSIENT],
  ])('refuses decorated methods of a provider that is made for %s, which would never be called', async (_, scope) => {
    class Scoped {
      @OnWebhook('orders.place')
      place() {}
    }
    Injectable({ scope })(Scoped)
    @Injectable()
    class Consumer {
      constructor(@Inject(Scoped) readonly scoped: Scoped) {}
    }
    const app = await createApp('Express', { imports: [withSecrets()], providers: [Scoped, Consumer] })
    expect(String(await errorOf(app.init()))).toContain('Scoped has methods with @OnWebhook, and must be a singleton')
  })

  it('refuses to decorate a static method, which would never be called', () => {
    const decorate = () => {
      class Static {
        @OnWebhook('orders.place')
        static place() {}
        instead() {}
      }
      return Static
    }
    expect(decorate).toThrow('Static.place is static')
  })

  it('refuses two handlers of one name, which would count as one', async () => {
    @Injectable()
    class Again extends OrderHandlers {}
    const app = await createApp('Express', { ...SHOP, providers: [Erp, OrderHandlers, Again] })
    expect(String(await errorOf(app.init()))).toContain("There are two handlers named 'send-to-erp'")
  })
})
