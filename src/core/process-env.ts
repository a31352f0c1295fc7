/** The environment variables of the process. Workers and browsers have none, unless something stands in for them. */
export function processEnv(): Readonly<Record<string, unknown>> {
  const { process } = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, unknown>> } }
  return process?.env ?? {}
}
