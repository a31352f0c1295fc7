import { vi } from 'vitest'

export type Runtime = 'node' | 'web'

/**
 * Loads a module for each of the two runtimes of the core: Node, and a runtime that has only WebCrypto and
 * `TextDecoder` (Workers, Next's edge). Nothing is mocked: Node's own modules are hidden for the second copy.
 */
export async function inBothRuntimes<Module>(load: () => Promise<Module>): Promise<[Runtime, Module][]> {
  vi.resetModules()
  const node = await load()
  vi.resetModules()
  const descriptor = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule')
  Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true, writable: true })
  try {
    const web = await load()
    return [
      ['node', node],
      ['web', web],
    ]
  } finally {
    if (descriptor) Object.defineProperty(process, 'getBuiltinModule', descriptor)
    else Reflect.deleteProperty(process, 'getBuiltinModule')
    vi.resetModules()
  }
}
