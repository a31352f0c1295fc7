import { TOPICS } from 'hooklayer'
import { createEvent } from 'hooklayer/testing'
import { editDistance } from '../../core/check-options.ts'
import { escapeText, type Output } from '../terminal/output.ts'
import { refuseItem } from './set-fields.ts'

type Fields = Readonly<Record<string, unknown>>

/** Makes the sample with some changes, or with a relationship; `undefined` where they cannot be. */
type MakeSample = (changes: Fields, include?: string) => Promise<Fields | undefined>

/** How many letters of a name may be wrong, so that another one is meant. */
const MOST_WRONG = 2
const MOST_NAMES = 3
const EITHER = new Intl.ListFormat('en', { type: 'disjunction' })

/**
 * Refuses an object in the place of a list. Warns of fields that neither the sample of a topic nor the resources that
 * it can include have. An attribute that is an object, such as `metadata`, may have any. Of a resource that is not in
 * the catalog nothing is known.
 *
 * @param changes what `--set` says, as it was read.
 * @throws CliError for an object in the place of a list.
 */
export async function checkFields(topic: string, changes: Fields, output: Output): Promise<void> {
  if (!Object.hasOwn(TOPICS, topic.replace(/\..*/, ''))) return
  const { type } = changes
  const make: MakeSample = async (fields, include) => {
    const options = include === undefined ? {} : { include: [include] }
    const event = createEvent<string, string>(topic, { ...(typeof type === 'string' && { type }), ...fields }, options)
    return (await event.catch(() => undefined))?.resource
  }

  async function check(changed: Fields, sample: Fields, path: readonly string[]): Promise<void> {
    for (const [name, value] of Object.entries(changed)) {
      const here = [...path, name]
      if (isObject(value) && (Array.isArray(sample[name]) || (await isList(here, make)))) throw refuseItem(here, value)
      const related = await findRelated(here, make)
      if (related && isObject(value)) await check(value, related, here)
      else if (!related && !Object.hasOwn(sample, name)) warn(here, nearestNames(name, Object.keys(sample)))
    }
  }

  function warn(path: readonly string[], nearest: readonly string[]): void {
    const meant = nearest.map((name) => [...path.slice(0, -1), name].join('.'))
    const hint = meant.length > 0 ? ` Did you mean ${EITHER.format(meant)}?` : ''
    output.warn(escapeText(`--set ${path.join('.')}: the sample has no such field. It is set all the same.${hint}`))
  }

  const sample = await make({})
  if (sample) await check(changes, sample, [])
}

/** The related resource at a path. It need not be in the sample: one is made where there is such a relationship. */
async function findRelated(path: readonly string[], make: MakeSample): Promise<Fields | undefined> {
  const fields = path.reduceRight<Fields>((inner, name) => ({ [name]: inner }), {})
  const found = readPath(await make(fields), path)
  return isObject(found) && typeof found.type === 'string' ? found : undefined
}

/** Whether a path leads to several resources. They need not be in the sample. */
async function isList(path: readonly string[], make: MakeSample): Promise<boolean> {
  return Array.isArray(readPath(await make({}, path.join('.')), path))
}

function readPath(resource: unknown, path: readonly string[]): unknown {
  return path.reduce((found, name) => (isObject(found) ? found[name] : undefined), resource)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The names that somebody may have meant: those that contain it or are contained, and those with few other letters. */
function nearestNames(wrong: string, names: readonly string[]): string[] {
  return names
    .map((name) => ({
      name,
      distance: editDistance(wrong, name),
      contains: name.includes(wrong) || wrong.includes(name),
    }))
    .filter(({ distance, contains }) => contains || distance <= MOST_WRONG)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MOST_NAMES)
    .map(({ name }) => name)
}
