import { resourceOf } from '../../commerce-layer/topics.ts'
import { readIncludePaths } from '../include-paths.ts'
import { isResource, type Resource } from '../schema.ts'
import { applyChanges } from './changes.ts'
import { createResourceFactory } from './make.ts'
import { findEventAttributes } from './moments.ts'
import { buildSample, checkIncludes, growSample, pruneSample } from './sample.ts'
import { getUsualIncludes } from './usual-includes.ts'

/** The resource of a delivery as a caller gives it: a whole resource, or changes to the sample. */
interface SubjectChanges {
  readonly id?: string | undefined
  readonly type?: string | undefined
}

interface SubjectOptions {
  /**
   * The relationships of the sample. The ones that it lacks are added, all others are removed. Default: the usual ones.
   */
  readonly include?: readonly string[] | undefined
  /** More relationships to attach to the sample. Names that its type does not have are ignored. */
  readonly attach?: readonly string[]
}

/** Creates the resource that a delivery of the topic carries, from the `resource` option of `createDelivery`. */
export function createSubject(topic: string, resource: SubjectChanges, options: SubjectOptions = {}): Resource {
  if (topic.endsWith('.destroy')) {
    const { id, type } = buildSample(resource.type ?? resourceOf(topic), createResourceFactory())
    return { ...resource, id: resource.id ?? id, type: resource.type ?? type }
  }
  return isResource(resource) ? resource : createSampleFor(topic, resource, options)
}

function createSampleFor(topic: string, changes: SubjectChanges, { include, attach = [] }: SubjectOptions): Resource {
  const make = createResourceFactory()
  const sample = buildSample(changes.type ?? resourceOf(topic), make, findEventAttributes(topic))
  const usual = [...getUsualIncludes(sample.type), ...(topic.endsWith('.tagged') ? ['tags'] : [])]
  const tree = readIncludePaths(include ?? usual)
  checkIncludes([sample.type], tree)
  growSample(sample, tree, make)
  pruneSample(sample, tree)
  growSample(sample, readIncludePaths(attach), make)
  applyChanges(sample, changes, make)
  return sample
}
