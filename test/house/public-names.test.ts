import ts from 'typescript'
import { beforeAll, expect, it } from 'vitest'
import { ENTRIES, toSpecifier } from '../../entries.ts'

let names: Record<string, string[]>

beforeAll(async () => {
  names = await listNames()
}, 60_000)

it('each entry exports these names and no others', () => {
  expect(names).toMatchInlineSnapshot(`
    {
      "hooklayer": [
        "createReceiver",
        "createWorker",
        "eventIdOf",
        "isWebhookError",
        "parse",
        "PermanentError",
        "secretsFromEnv",
        "sign",
        "TOPICS",
        "verify",
        "WebhookError",
        "type DeadLetter",
        "type Delivery",
        "type DestroyedResource",
        "type ErrorCode",
        "type ErrorContext",
        "type ErrorHandler",
        "type Handler",
        "type HandlerContext",
        "type HandlerOptions",
        "type IdempotencyOptions",
        "type Inbox",
        "type Logger",
        "type LooseResource",
        "type OutcomeName",
        "type Receiver",
        "type ReceiverOptions",
        "type ResourceOf",
        "type Secret",
        "type SecretsFromEnvOptions",
        "type SecretsLookUp",
        "type Subscription",
        "type Topic",
        "type TopicOf",
        "type TopicPattern",
        "type TopicResource",
        "type UnknownTopic",
        "type WebhookEvent",
        "type Worker",
        "type WorkerOptions",
      ],
      "hooklayer/config": [
        "defineConfig",
        "type HooklayerConfig",
        "type HooklayerManagementConfig",
      ],
      "hooklayer/dashboard": [
        "createDashboard",
        "type Authorize",
        "type Dashboard",
        "type DashboardOptions",
      ],
      "hooklayer/drivers": [
        "type AttemptInfo",
        "type CompleteOptions",
        "type ConsumeOptions",
        "type DeadLetter",
        "type DeadLetterFilter",
        "type DeadLetters",
        "type DeadLetterSelection",
        "type DeliveryAttempt",
        "type DeliveryCounts",
        "type DeliveryError",
        "type DeliveryQuery",
        "type DeliveryRecorder",
        "type DeliveryState",
        "type ErasableStore",
        "type ErasedDeliveries",
        "type ErasedRecords",
        "type EventType",
        "type FailedDelivery",
        "type HandlerRun",
        "type HeadersLike",
        "type IdempotencyStore",
        "type Inbox",
        "type InboxStatistics",
        "type IncludePath",
        "type Including",
        "type LabelledSecret",
        "type ListedDelivery",
        "type LoggerLike",
        "type ObservedEvent",
        "type Observer",
        "type ProcessDelivery",
        "type RawBody",
        "type ReadBody",
        "type ReceiveOptions",
        "type RecordedAttempt",
        "type ReleaseOptions",
        "type RenewOptions",
        "type Reservation",
        "type ReserveOptions",
        "type ResourceReference",
        "type ResourceVersion",
        "type SecretsByTopic",
        "type SecretsOption",
        "type StageName",
        "type StoredDelivery",
        "type StoredResource",
        "type TopicsOf",
        "type VerifyStoredOptions",
        "type WebhookErrorOptions",
        "type WebhookRequest",
        "type WebhookResponse",
        "type WithIncluded",
        "type Worker",
      ],
      "hooklayer/emulator": [
        "createEmulator",
        "type AskOptions",
        "type EmulatedAnswer",
        "type EmulatedCall",
        "type EmulatedCircuit",
        "type EmulatedEventCallback",
        "type EmulatedHolder",
        "type EmulatedWebhook",
        "type Emulator",
        "type EmulatorOptions",
        "type Faults",
        "type HolderOptions",
        "type ResourceDocument",
        "type SubscribeOptions",
        "type TriggerOptions",
      ],
      "hooklayer/express": [
        "createExpressMiddleware",
      ],
      "hooklayer/fastify": [
        "createFastifyPlugin",
        "type FastifyInstance",
        "type HostBody",
      ],
      "hooklayer/fetch": [
        "createFetchHandler",
      ],
      "hooklayer/inboxes/bullmq": [
        "createBullmqInbox",
        "migrateBullmqInbox",
        "type BullmqInboxOptions",
        "type InboxOptions",
      ],
      "hooklayer/inboxes/memory": [
        "createMemoryInbox",
        "type InboxOptions",
      ],
      "hooklayer/inboxes/sqlite": [
        "createSqliteInbox",
        "type InboxOptions",
        "type SqliteDatabase",
        "type SqliteInboxOptions",
        "type SqliteLocation",
      ],
      "hooklayer/koa": [
        "createKoaMiddleware",
        "type HostBody",
        "type KoaContext",
      ],
      "hooklayer/lambda": [
        "createLambdaHandler",
      ],
      "hooklayer/management": [
        "ApplyError",
        "createManagement",
        "describePlan",
        "FAILURES_TO_OPEN",
        "isManagementError",
        "ManagementError",
        "RecoveryError",
        "type AccessTokenFunction",
        "type AccessTokenOptions",
        "type Api",
        "type ApplyOptions",
        "type Circuits",
        "type CredentialsOptions",
        "type EventCallbackQuery",
        "type EventCallbacks",
        "type EventQuery",
        "type Events",
        "type Holders",
        "type HoldersApi",
        "type HolderSecretLookUp",
        "type HolderSecretOptions",
        "type Management",
        "type ManagementFailure",
        "type ManagementOptions",
        "type Plan",
        "type PlanOptions",
        "type PlanStep",
        "type RecoverOptions",
        "type Recovery",
        "type RecoveryCursor",
        "type RecoveryResult",
        "type RequestOptions",
        "type SecretsOptions",
        "type WebhookArguments",
        "type WebhookHealth",
        "type Webhooks",
      ],
      "hooklayer/nestjs": [
        "HooklayerModule",
        "HooklayerService",
        "OnWebhook",
        "type HooklayerModuleAsyncOptions",
        "type HooklayerModuleOptions",
        "type ModuleWorkerOptions",
        "type WebhookMethodDecorator",
      ],
      "hooklayer/next": [
        "createApiHandler",
        "createRouteHandler",
      ],
      "hooklayer/node": [
        "createNodeListener",
      ],
      "hooklayer/opentelemetry": [
        "createOpenTelemetryObserver",
        "type OpenTelemetryObserverOptions",
      ],
      "hooklayer/recorder": [
        "createRecorder",
        "findByteDifference",
        "maskDocument",
        "readRecords",
        "type ByteDifference",
        "type DeliveryRecord",
        "type MaskOptions",
        "type NewRecord",
        "type RecordDetails",
        "type RecordedError",
        "type RecordedHandler",
        "type RecordedSpan",
        "type RecordedStage",
        "type Recorder",
        "type RecorderOptions",
        "type RecordListener",
        "type RecordPage",
        "type RecordQuery",
        "type RecordReader",
        "type RecordStatistics",
        "type RedactOptions",
        "type StatisticsQuery",
      ],
      "hooklayer/responder": [
        "createResponder",
        "refuse",
        "type ExternalResourceKind",
        "type HolderSecret",
        "type LinePromotion",
        "type OrderPromotion",
        "type OrderValidationAnswer",
        "type PricesAnswer",
        "type PromotionAnswer",
        "type Refusal",
        "type Responder",
        "type ResponderAnswer",
        "type ResponderHandler",
        "type ResponderOptions",
        "type ResponderRequest",
        "type ShippingCostAnswer",
        "type SpreadPromotion",
        "type TaxAnswer",
        "type TaxedLine",
      ],
      "hooklayer/stores/memory": [
        "createMemoryStore",
        "type MemoryStoreOptions",
      ],
      "hooklayer/stores/postgres": [
        "createPostgresStore",
        "type PostgresClient",
        "type PostgresStore",
        "type PostgresStoreOptions",
      ],
      "hooklayer/stores/redis": [
        "createRedisStore",
        "type IoRedisClient",
        "type NodeRedisClient",
        "type RedisStoreOptions",
        "type UpstashRedisClient",
      ],
      "hooklayer/stores/sqlite": [
        "createSqliteStore",
        "type SqliteDatabase",
        "type SqliteLocation",
        "type SqliteStore",
        "type SqliteStoreOptions",
      ],
      "hooklayer/testing": [
        "createDelivery",
        "createEvent",
        "createProbe",
        "createRequest",
        "explainSignature",
        "maskText",
        "sampleOf",
        "serialize",
        "sign",
        "TEST_ORGANIZATION_ID",
        "TEST_SECRET",
        "type Changes",
        "type DeliveryOptions",
        "type DocumentOptions",
        "type EventOptions",
        "type Identified",
        "type ProbeOptions",
        "type RequestOptions",
        "type SampleOf",
        "type SignatureExplanation",
        "type SignatureQuestion",
        "type TestDelivery",
        "type TestRequest",
      ],
      "hooklayer/testing/contracts": [
        "testInbox",
        "testStore",
        "type InboxPlace",
        "type InboxPlaceOptions",
        "type InboxSuiteOptions",
        "type StorePlace",
        "type StoreSuiteOptions",
      ],
    }
  `)
})

it('the root entry has at most 40 names', () => {
  expect(names.hooklayer?.length).toBeLessThanOrEqual(40)
})

it('`hooklayer/drivers` has types only', () => {
  expect(names['hooklayer/drivers']?.filter((name) => !name.startsWith('type '))).toEqual([])
})

/** The names that each entry exports: those with a value at run time first, then types. */
async function listNames(): Promise<Record<string, string[]>> {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
  const program = ts.createProgram(Object.values(ENTRIES), options)
  const names: Record<string, string[]> = {}
  for (const [subpath, source] of Object.entries(ENTRIES)) {
    const specifier = toSpecifier(subpath)
    const values = Object.keys(await import(/* @vite-ignore */ specifier))
    const types = listExports(program, source).filter((name) => !values.includes(name))
    names[specifier] = [...sort(values), ...sort(types).map((name) => `type ${name}`)]
  }
  return names
}

function listExports(program: ts.Program, source: string): string[] {
  const checker = program.getTypeChecker()
  const file = program.getSourceFile(source)
  const module = file && checker.getSymbolAtLocation(file)
  return module ? checker.getExportsOfModule(module).map(({ name }) => name) : []
}

function sort(names: readonly string[]): string[] {
  return names.toSorted((one, other) => one.localeCompare(other, 'en'))
}
