import { resourceOf } from '../../commerce-layer/topics.ts'
import { readIncludePaths } from '../include-paths.ts'
import { isResource, type Resource } from '../schema.ts'
import { applyChanges } from './changes.ts'
import { createMake } from './make.ts'
import { momentOf } from './moments.ts'
import { buildSample, checkIncludes, growSample, pruneSample } from './sample.ts'
import { usualIncludesOf } from './usual-includes.ts'

/** What a subject may be made of: a resource of its own, or changes to the sample. */
interface SubjectChanges {
  readonly id?: string | undefined
  readonly type?: string | undefined
}

interface SubjectOptions {
  /** The relationships that the sample keeps, and gets where it lacks them. Default: what is usual for topic and type. */
  readonly include?: readonly string[] | undefined
  /** Relationships to attach to the sample besides, without a complaint about those that its type does not have. */
  readonly attach?: readonly string[]
}

/** The resource that a delivery of the topic is about, as `createDelivery` describes it; `*.destroy` leaves what is given. */
export function subjectOf(topic: string, resource: SubjectChanges, options: SubjectOptions = {}): Resource {
  if (topic.endsWith('.destroy')) {
    const { id, type } = buildSample(resource.type ?? resourceOf(topic), createMake())
    return { ...resource, id: resource.id ?? id, type: resource.type ?? type }
  }
  return isResource(resource) ? resource : sampleFor(topic, resource, options)
}

function sampleFor(topic: string, changes: SubjectChanges, { include, attach = [] }: SubjectOptions): Resource {
  const make = createMake()
  const sample = buildSample(changes.type ?? resourceOf(topic), make, momentOf(topic))
  const usual = [...usualIncludesOf(sample.type), ...(topic.endsWith('.tagged') ? ['tags'] : [])]
  const tree = readIncludePaths(include ?? usual)
  checkIncludes([sample.type], tree)
  growSample(sample, tree, make)
  pruneSample(sample, tree)
  growSample(sample, readIncludePaths(attach), make)
  applyChanges(sample, changes, make)
  return sample
}
