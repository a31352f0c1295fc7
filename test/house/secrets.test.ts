import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { expect, it } from 'vitest'

/** The forms of keys and tokens, by who issues them. */
const SHAPES = {
  'a private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/,
  'an access key of AWS': /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/,
  'a token of GitHub': /\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})/,
  'a token of GitLab': /\bglpat-[\w-]{20}/,
  'a token of npm': /\bnpm_[A-Za-z0-9]{36}\b/,
  'a token in an .npmrc': /_authToken\s*=\s*(?!\$)\S{8}/,
  'a token of Slack': /\bxox[abprs]-[A-Za-z0-9-]{10}/,
  'a key of Stripe': /\b[rs]k_live_[A-Za-z0-9]{16}/,
  'a key of Google': /\bAIza[\w-]{35}\b/,
  'a JSON Web Token': /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
  'a password in a URL': /\b(?:postgres(?:ql)?|rediss?|mysql|mongodb|amqps?):\/\/[^\s/:@]+:[^\s/:@${}]{8,}@/,
}

function findSecrets(text: string): string[] {
  return Object.entries(SHAPES).flatMap(([name, shape]) => (shape.test(text) ? [name] : []))
}

it('no file of the repository holds a key or a token', () => {
  const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean)
  expect(files.length).toBeGreaterThan(100)
  const found = files
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .flatMap((file) => findSecrets(readFileSync(file, 'latin1')).map((what) => `${file}: ${what}`))
  expect(found).toEqual([])
})

it.each([
  ['a private key', `-----BEGIN ${'OPENSSH'} PRIVATE KEY-----`],
  ['a private key', `-----BEGIN ${''}PRIVATE KEY-----`],
  ['an access key of AWS', `AKIA${'IOSFODNN7EXAMPLE'}`],
  ['a token of GitHub', `ghp_${'a'.repeat(36)}`],
  ['a token of GitLab', `glpat-${'a'.repeat(20)}`],
  ['a token of npm', `npm_${'a'.repeat(36)}`],
  ['a token in an .npmrc', `//registry.example/:_authToken${'='}0123456789`],
  ['a token of Slack', `xoxb-${'0123456789'}`],
  ['a key of Stripe', `sk_live_${'a'.repeat(16)}`],
  ['a key of Google', `AIza${'a'.repeat(35)}`],
  ['a JSON Web Token', `eyJ${'a'.repeat(10)}.eyJ${'a'.repeat(10)}.${'a'.repeat(20)}`],
  ['a password in a URL', `postgres://shop:${'0123456789'}@db.example/shop`],
])('the search for secrets would find %s', (name, text) => {
  expect(findSecrets(`const key = '${text}'`)).toEqual([name])
})
