import { vi } from 'vitest'

export type Runtime = 'node' | 'web'

/**
 * A module in each of the two runtimes that the core knows: on Node, and where there is nothing but WebCrypto and
 * `TextDecoder` (Workers, Next's edge). Nothing is mocked: Node's own modules are hidden while the second is loaded.
 */
export async function inBothRuntimes<Module>(load: () => Promise<Module>): Promise<[Runtime, Module][]> {
  vi.resetModules()
  const node = await load()
  vi.resetModules()
  const shown = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule')
  Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true, writable: true })
  try {
    const web = await load()
    return [
      ['node', node],
      ['web', web],
    ]
  } finally {
    if (shown) Object.defineProperty(process, 'getBuiltinModule', shown)
    else Reflect.deleteProperty(process, 'getBuiltinModule')
    vi.resetModules()
  }
}
