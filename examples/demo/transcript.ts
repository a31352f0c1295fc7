import pc from 'picocolors'

/** Prints what the demo does, and counts the checks that failed. */
let surprises = 0
let checks = 0

export function chapter(title: string): void {
  console.log(`\n${pc.bold(title)}`)
}

export function say(text: string): void {
  console.log(pc.dim(text.replace(/^/gm, '  ')))
}

export function check(what: string, is: unknown, expected: unknown): void {
  checks += 1
  const isAsExpected = is === expected
  console.log(`  ${what}: ${isAsExpected ? pc.green(String(is)) : pc.red(`${is}, expected ${expected}`)}`)
  if (!isAsExpected) surprises += 1
}

export function summary(file: string): void {
  if (surprises > 0) process.exitCode = 1
  const text =
    surprises > 0 ? pc.red(`${surprises} of ${checks} checks failed.`) : `All ${checks} checks ended as expected.`
  console.log(`\n${text} The code is in ${file}.`)
}
