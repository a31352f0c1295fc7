/** Handlers and configurations print what they like: it must not be among the results on stdout. */
export function printToStderr(): void {
  console.log = console.error
  console.info = console.error
  console.debug = console.error
}
