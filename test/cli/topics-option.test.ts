import { expect, it } from 'vitest'
import { readTopics } from '../../src/cli/configuration/topics-option.ts'
import { runCli } from './run-cli.ts'

it.each(['dev', 'emulator', 'init', 'listen'])('`%s` takes --topics as the others do', async (command) => {
  const refused = (text: string) =>
    `--topics takes topics such as orders.place, separated by commas, and not "${text}".\n`
  for (const text of ['orders', ' ,']) {
    const args = [command, '--topics', 'orders.place, customers.create', '--topics', text]
    expect(await runCli(args)).toMatchObject({ exit: 2, stdout: '', stderr: refused(text) })
  }
})

it('--topics may be repeated, and has each topic once', () => {
  const first = readTopics('orders.place, customers.create,')
  expect(readTopics('customers.create,orders.pay', first)).toEqual(['orders.place', 'customers.create', 'orders.pay'])
})
