import type { EmulatedAnswer, EmulatedHolder } from '../../emulator/index.ts'
import type { AnswerDetails, AnswerItem, Resource } from '../api.ts'
import { findHolder, toHolderItem } from './holders.ts'
import type { Mask } from './mask.ts'
import { defined } from './write-delivery.ts'

/** What an answer is shown with. */
interface AnswerContext {
  readonly holders: readonly EmulatedHolder[]
  readonly mask: Mask
}

/** A row of the list. */
export function toAnswerItem(answer: EmulatedAnswer, { holders, mask }: AnswerContext): AnswerItem {
  const { id, askedAt, kind, holderId, outcome, status, durationMs, problem, fallback, request } = answer
  return {
    id,
    askedAt,
    kind,
    url: mask.url(findHolder(holders, holderId).url),
    resource: readResource(request),
    outcome,
    durationMs,
    ...defined({ status, ...toDataOrError(answer, mask), problem, fallback }),
  }
}

export function toAnswerDetails(answer: EmulatedAnswer, { holders, mask }: AnswerContext): AnswerDetails {
  const item = toAnswerItem(answer, { holders, mask })
  const sent = write(answer.request)
  return {
    ...item,
    request: mask.document(sent),
    text: mask.text(answer.text, sent),
    isMasked: mask.isOn,
    holder: toHolderItem(findHolder(holders, answer.holderId), mask, item.resource.id),
  }
}

/** What a shop says may be as long as its answer. The details have the whole of it. */
const MAX_LENGTH = 600

/** `data` and `error` may hold anything. What is hidden in the request is hidden in them too. */
function toDataOrError({ data, error, request }: EmulatedAnswer, mask: Mask): Pick<AnswerItem, 'data' | 'error'> {
  const sent = mask.isOn ? write(request) : undefined
  const show = (value: unknown) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
    // What is cut off before it is masked may be the half of a name.
    return mask.text(text, sent).slice(0, MAX_LENGTH)
  }
  if (data) return { data: show(data) }
  return error ? { error: { code: show(error.code), message: show(error.message) } } : {}
}

function readResource({ data }: EmulatedAnswer['request']): Resource {
  const { type = '', id = '', attributes = {} } = [data].flat()[0] ?? {}
  return { type, id, ...(type === 'orders' && typeof attributes.number === 'string' && { number: attributes.number }) }
}

function write(document: EmulatedAnswer['request']): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document))
}
