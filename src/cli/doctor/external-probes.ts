import type { ExternalResourceKind } from 'hooklayer/responder'
import { createRequest } from 'hooklayer/testing'
import { isSuccess } from '../terminal/output.ts'
import { DELIVERIES } from './delivery-probes.ts'
import type { Expectation, Finding, GeneralFindings, Probe, Suite } from './probe.ts'
import { type ProbeFixture, signText, toRequest } from './probe-fixture.ts'
import type { Answer } from './send-request.ts'

/** No figure is documented for external resources: that of webhooks is assumed. */
const MOST_MS = 5000
/** An answer that takes longer is close to that. */
const SLOW_MS = 4000

const ANSWERED: Expectation = {
  text: 'an answer or a refusal in form within 5 s',
  isMet: (answer) => describeForm(answer) === undefined && answer.durationMs <= MOST_MS,
}

/** What is wrong with the form of an answer. */
function describeForm(answer: Answer): string | undefined {
  if (answer.kind !== 'answer') return 'There is no answer.'
  const { status, body } = answer
  const { success, data, error } = readObject(body)
  if (isSuccess(status)) return success === true && isObject(data) ? undefined : 'It has no `data`.'
  const isRefusal = status >= 400 && status < 500 && status !== 401 && status !== 403
  return isRefusal && success === false && isObject(error) ? undefined : 'It has no `error`.'
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const IN_FORM: Finding = {
  means:
    'Commerce Layer cannot read it: it is not `{ "success": true, "data": {…} }`, nor a refusal of 400 and above ' +
    'with `{ "success": false, "error": { "code", "message" } }`.',
  fix: 'Compare the secret first, if it came as 401. Then answer JSON in this form: docs/external-resources.md.',
}

/** What no answer means. Webhooks are sent again, and these are not. */
const WITHOUT_ANSWER =
  'Commerce Layer goes on without an answer: the page of the kind in docs/ says how. After more than 30 failures in ' +
  'a row it does not ask any more.'

const GENERAL: GeneralFindings = {
  error: { means: WITHOUT_ANSWER, fix: 'Look for the error in the log. Refuse with 422 where there is no answer.' },
  overloaded: { means: WITHOUT_ANSWER, fix: 'Answer from what is at hand, with a fallback.' },
  none: { means: WITHOUT_ANSWER, fix: 'Answer within 4 seconds, with a fallback: `fallback` of createResponder.' },
  closed: { means: WITHOUT_ANSWER, fix: 'Look whether the process has ended, or a proxy in front has given up.' },
  'no route': { means: WITHOUT_ANSWER, fix: 'Compare the path with that of the route, which has to take a POST.' },
  redirect: {
    means: WITHOUT_ANSWER,
    fix: 'Use the URL that it leads to: mind http and https, and a slash at the end.',
  },
  late: { means: WITHOUT_ANSWER, fix: 'Answer within 4 seconds, with a fallback: `fallback` of createResponder.' },
}

/** Probes that are about the topic, which requests do not have. */
const OF_TOPICS: ReadonlySet<string> = new Set(['other topic', 'no topic', 'unknown topic'])

/** The probes of deliveries, as far as they hold for requests, and those of a kind. */
export function createSuite(kind: ExternalResourceKind): Suite {
  const { forged, plain, others, afterwards } = DELIVERIES
  return {
    forged: adapt(forged),
    plain: adapt(plain),
    others: [
      ...others.filter(({ name }) => !OF_TOPICS.has(name)).map(adapt),
      WITH_TOPIC,
      createOtherKind(kind === 'prices' ? 'tax' : 'prices'),
    ],
    afterwards: adapt(afterwards),
  }
}

function adapt(probe: Probe): Probe {
  const sends = probe.sends.replaceAll('deliveries', 'requests').replaceAll('delivery', 'request')
  if (probe.kind === 'forged') return { ...probe, sends: sends.replaceAll('of different events', '') }
  return {
    ...probe,
    sends: sends.replace('of different events', 'of different resources'),
    ...(probe.name !== 'gzip' && { expected: ANSWERED, ...IN_FORM }),
    general: GENERAL,
    check: probe.name === 'repeated' ? checkRepeated : checkDuration,
  }
}

function checkDuration(answers: readonly Answer[]): Finding | undefined {
  if (answers.every(({ durationMs }) => durationMs <= SLOW_MS)) return undefined
  return {
    means: 'It took more than 4 seconds. That Commerce Layer waits for 5 seconds is an assumption.',
    fix: 'Answer within 4 seconds, with a fallback: `fallback` of createResponder.',
  }
}

/** Commerce Layer asks again when the client of a shop repeats its call. */
function checkRepeated(answers: readonly Answer[]): Finding | undefined {
  const texts = new Set(answers.map((answer) => (answer.kind === 'answer' ? answer.body : '')))
  if (texts.size === 1) return checkDuration(answers)
  return {
    means: 'The same request gets another answer, so a shop that repeats its call gets another price or tax.',
    fix: 'Compute the answer from the request alone, or keep it for a while: `answerCacheMs` of createResponder.',
  }
}

const WITH_TOPIC: Probe = {
  name: 'with a topic',
  kind: 'genuine',
  sends: 'a signed request with the header X-CommerceLayer-Topic of a webhook',
  request: async (fixture) => [[toRequest(fixture, (await fixture.draft()).text, { topic: 'orders.place' })]],
  expected: ANSWERED,
  ...IN_FORM,
  fix:
    'Read nothing from the header X-CommerceLayer-Topic: that requests lack it is inferred. The URL says what is ' +
    'asked.',
  general: GENERAL,
}

function createOtherKind(other: ExternalResourceKind): Probe {
  return {
    name: 'other kind',
    kind: 'forged',
    isSigned: true,
    sends: `a signed request of ${other}, which is for another URL`,
    async request(fixture: ProbeFixture) {
      const { body } = await createRequest(other, { mode: 'test' })
      const text = new TextDecoder().decode(body)
      return [[toRequest(fixture, text, { signature: signText(text, fixture.secret) })]]
    },
    expected: DELIVERIES.forged.expected,
    means:
      'It is answered. A market has one secret for two URLs, so a captured request of one can be sent to the other.',
    fix: 'Refuse a document whose `data.type` is not that of the kind.',
  }
}
