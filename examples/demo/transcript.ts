import pc from 'picocolors'

let checks = 0
let failures = 0

/** Prints a title. */
export function chapter(title: string): void {
  console.log(`\n${pc.bold(title)}`)
}

/** Prints indented text. */
export function say(text: string): void {
  console.log(pc.dim(text.replace(/^/gm, '  ')))
}

/** Prints a value, in red if it is not the expected one. */
export function check(what: string, actual: unknown, expected: unknown): void {
  checks += 1
  const isExpected = actual === expected
  console.log(`  ${what}: ${isExpected ? pc.green(String(actual)) : pc.red(`${actual}, expected ${expected}`)}`)
  if (!isExpected) failures += 1
}

/** Waits until something is true, for ten seconds at most. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await isTrue()); ) {
    if (Date.now() > deadline) throw new Error('It took more than ten seconds.')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Prints the result of all checks, and fails the process if one failed. */
export function printSummary(file: string): void {
  if (failures > 0) process.exitCode = 1
  const text = failures > 0 ? pc.red(`${failures} of ${checks} checks failed.`) : `All ${checks} checks passed.`
  console.log(`\n${text} The code is in ${file}.`)
}
