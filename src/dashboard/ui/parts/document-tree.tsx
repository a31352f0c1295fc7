import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { formatCount } from '../format.ts'
import { LongText, Plain } from './text.tsx'

/** Lists and objects with more members are opened in parts of this size, so that thousands do not freeze the page. */
const PART = 100

type Key = string | number
/** The keys from the root. A part of a long list is `[200, 300]`. */
type Path = readonly (Key | readonly [number, number])[]

interface Tree {
  readonly isOpen: (path: Path) => boolean
  readonly toggle: (path: Path) => void
  /** Where a resource is included. */
  readonly find: (type: string, id: string) => number | undefined
  readonly jump: (index: number) => void
  readonly target: string | undefined
}

/** A JSON:API document, whose relationships lead to the resources that are included. */
export function DocumentTree({ document }: { readonly document: unknown }) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(INITIALLY_OPEN.map(name)))
  const [target, setTarget] = useState<string>()
  const included = useMemo(() => indexIncluded(document), [document])
  const tree: Tree = {
    isOpen: (path) => open.has(name(path)),
    toggle(path) {
      const key = name(path)
      setOpen((last) => (last.has(key) ? new Set([...last].filter((one) => one !== key)) : new Set([...last, key])))
    },
    find: (type, id) => included.get(`${type}/${id}`),
    jump(index) {
      const path = pathTo(index, included.total)
      const steps = path.map((_, i) => name(path.slice(0, i + 1)))
      setOpen((last) => new Set([...last, ...steps, name([...path, 'attributes'])]))
      setTarget(name(path))
    },
    target,
  }
  return (
    <div class="tree">
      <Members value={document} path={[]} tree={tree} />
    </div>
  )
}

const INITIALLY_OPEN: readonly Path[] = [['data'], ['data', 'attributes'], ['data', 'relationships']]

function name(path: Path): string {
  return JSON.stringify(path)
}

/** The place of the included resource, through the parts that a long list is opened in. */
function pathTo(index: number, total: number): Path {
  const start = index - (index % PART)
  const part = [start, Math.min(start + PART, total)] as const
  return total > PART ? ['included', part, index] : ['included', index]
}

class Included extends Map<string, number> {
  total = 0
}

function indexIncluded(document: unknown): Included {
  const index = new Included()
  const included = isObject(document) ? document.included : undefined
  if (!Array.isArray(included)) return index
  index.total = included.length
  included.forEach((resource: unknown, i) => {
    if (isObject(resource)) index.set(`${String(resource.type)}/${String(resource.id)}`, i)
  })
  return index
}

interface NodeProps {
  readonly value: unknown
  readonly path: Path
  readonly tree: Tree
}

function Members({ value, path, tree }: NodeProps) {
  const entries: readonly (readonly [Key, unknown])[] = Array.isArray(value)
    ? value.map((item: unknown, i) => [i, item])
    : Object.entries(value as object)
  const last = path.at(-1)
  if (Array.isArray(last)) {
    const [start, end] = last as readonly [number, number]
    return <MemberList entries={entries.slice(start, end)} path={path} tree={tree} />
  }
  if (entries.length <= PART) return <MemberList entries={entries} path={path} tree={tree} />
  const parts = Array.from({ length: Math.ceil(entries.length / PART) }, (_, i) => {
    return [i * PART, Math.min((i + 1) * PART, entries.length)] as const
  })
  return (
    <ul>
      {parts.map((part) => (
        <Branch
          key={part[0]}
          label={`${formatCount(part[0] + 1)} to ${formatCount(part[1])}`}
          value={value}
          path={[...path, part]}
          tree={tree}
        />
      ))}
    </ul>
  )
}

interface MemberListProps {
  readonly entries: readonly (readonly [Key, unknown])[]
  readonly path: Path
  readonly tree: Tree
}

function MemberList({ entries, path, tree }: MemberListProps) {
  return (
    <ul>
      {entries.map(([key, value]) => {
        const resource = toReference(value)
        const isRelated = path.at(-1) === 'relationships' || path.includes('relationships')
        if (resource && isRelated) return <Reference key={key} label={key} resource={resource} tree={tree} />
        if (isObject(value) || Array.isArray(value)) {
          return <Branch key={key} label={key} value={value} path={[...path, key]} tree={tree} />
        }
        return (
          <li key={key}>
            <Label text={key} />
            <Scalar value={value} />
          </li>
        )
      })}
    </ul>
  )
}

function Branch({ label, value, path, tree }: NodeProps & { readonly label: Key }) {
  const isOpen = tree.isOpen(path)
  const isTarget = tree.target === name(path)
  const ref = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!isTarget) return
    ref.current?.scrollIntoView({ block: 'center' })
    ref.current?.focus({ preventScroll: true })
  }, [isTarget])
  const isEmpty = Object.keys(value as object).length === 0
  return (
    <li class={isTarget ? 'target' : undefined}>
      <button type="button" class="branch" ref={ref} aria-expanded={isOpen} onClick={() => tree.toggle(path)}>
        <Label text={label} />
        <span class="summary">{isEmpty ? 'empty' : <Summary value={value} isPart={Array.isArray(path.at(-1))} />}</span>
      </button>
      {isOpen && !isEmpty && <Members value={value} path={path} tree={tree} />}
    </li>
  )
}

function Summary({ value, isPart }: { readonly value: unknown; readonly isPart: boolean }) {
  if (isPart) return null
  if (Array.isArray(value)) return <>{formatCount(value.length)}</>
  const resource = isObject(value) ? value : {}
  if (typeof resource.type !== 'string' || typeof resource.id !== 'string') return null
  return <Plain text={`${resource.type} ${resource.id}`} />
}

interface ReferenceProps {
  readonly label: Key
  readonly resource: { readonly type: string; readonly id: string }
  readonly tree: Tree
}

/** A resource that a relationship names, and a way to it if it is included. */
function Reference({ label, resource, tree }: ReferenceProps) {
  const index = tree.find(resource.type, resource.id)
  const text = <Plain text={`${resource.type} ${resource.id}`} />
  return (
    <li>
      <Label text={label} />
      {index === undefined ? (
        <span class="value">{text}</span>
      ) : (
        <button type="button" class="link" onClick={() => tree.jump(index)}>
          {text}
        </button>
      )}
    </li>
  )
}

function Label({ text }: { readonly text: Key }) {
  return (
    <span class="key">
      <Plain text={String(text)} />
    </span>
  )
}

function Scalar({ value }: { readonly value: unknown }) {
  if (typeof value !== 'string') return <span class={`value ${typeof value}`}>{String(value)}</span>
  return (
    <span class="value string">{value === '' ? <span class="quiet">empty text</span> : <LongText text={value} />}</span>
  )
}

/** `{ data: { type, id } }` of a relationship, or one of several: shown on its line. */
function toReference(value: unknown): { type: string; id: string } | undefined {
  const resource = isObject(value) && isObject(value.data) ? value.data : value
  if (!isObject(resource)) return undefined
  const { type, id } = resource
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
