import { describe, expect, it } from 'vitest'
import { dropInheritedNames } from '../../../src/core/event/drop-inherited-names.ts'

function cleaned(json: string): unknown {
  const value = JSON.parse(json)
  dropInheritedNames(value)
  return value
}

/** The merge that many programs have: it descends into whatever the target gives for a name. */
function mergeNaively(target: Record<string, unknown>, source: Record<string, unknown>): void {
  for (const name of Object.keys(source)) {
    const value = source[name]
    const there = target[name]
    const isDeep = typeof value === 'object' && value !== null && there !== undefined
    if (isDeep) mergeNaively(there as Record<string, unknown>, value as Record<string, unknown>)
    else target[name] = value
  }
}

/** Everything that a merge into `{}` can reach without an own property. */
const SHARED = Object.getOwnPropertyNames(Object.prototype).map((name) => [name])

describe('dropInheritedNames', () => {
  it.each(SHARED)('leaves nothing below `%s` with which a naive deep merge would change all objects', (name) => {
    const source = cleaned(
      `{"a":[{"${name}":{"polluted":"yes"}}],"${name}":{"prototype":{"polluted":"yes"},"polluted":1}}`,
    )
    expect(source).toEqual({ a: [{}] })
    mergeNaively({ a: [{}] }, source as Record<string, unknown>)
    const shared = Object.getOwnPropertyDescriptor(Object.prototype, name)?.value ?? Object.prototype
    for (const object of [{}, shared, Object, Object.prototype]) expect(object).not.toHaveProperty('polluted')
  })

  it('drops `__proto__` whatever it is, however it is spelled, in objects and lists at every depth', () => {
    const proto = '"__proto__":'
    expect(cleaned(`{${proto}1,"a":{${proto}"x","b":[{${proto}null},[{"\\u005f_proto__":{"c":1},"d":2}]]}}`)).toEqual({
      a: { b: [{}, [{ d: 2 }]] },
    })
  })

  it('keeps text, numbers and null under the other names, and all values under names that no object inherits', () => {
    const json = '{"constructor":"Ferrari","valueOf":1,"toString":null,"prototype":{"a":1},"proto":{"b":[{}]},"":{}}'
    const value = cleaned(json)
    expect(JSON.stringify(value)).toBe(json)
  })

  it('takes a value that is nested 100,000 levels deep', () => {
    const deep = `${'{"a":['.repeat(50_000)}{"__proto__":{}}${']}'.repeat(50_000)}`
    let inner = cleaned(deep) as { a: unknown[] }
    for (let level = 1; level < 50_000; level++) inner = inner.a[0] as typeof inner
    expect(Object.keys(inner.a[0] as object)).toEqual([])
  })

  it('ends when a program has given all objects an enumerable property', () => {
    const shared = {}
    const define = { value: shared, enumerable: true, configurable: true, writable: true }
    Object.defineProperty(Object.prototype, 'everywhere', define)
    let value: unknown
    try {
      value = cleaned('{"a":{"b":1}}')
    } finally {
      Reflect.deleteProperty(Object.prototype, 'everywhere')
    }
    expect(value).toEqual({ a: { b: 1 } })
  })
})
