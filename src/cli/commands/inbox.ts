import { type Command, Option } from 'commander'
import { type DefineCommand, describeExamples, type Run } from '../command.ts'
import { warnOfUnknownTopic } from '../configuration/catalog.ts'
import { type ChangeFlags, discardDeadLetters, eraseResource, retryDeadLetters } from '../inbox/change-inbox.ts'
import { STATES } from '../inbox/find-deliveries.ts'
import { type ListFlags, printDelivery, printList, printStats, type ShowFlags } from '../inbox/inspect-inbox.ts'
import { addForceOption, addInboxOptions, type InboxFlags, useInbox } from '../inbox/open-inbox.ts'
import { toCount } from '../terminal/count.ts'

const SHOW_DATA = 'prints personal data, which is masked otherwise'

export const define: DefineCommand = (command, run) => {
  defineStats(command.command('stats'), run)
  defineList(command.command('list'), run)
  defineShow(command.command('show'), run)
  defineRetry(command.command('retry'), run)
  defineDiscard(command.command('discard'), run)
  defineErase(command.command('erase'), run)
  command.addHelpText(
    'after',
    describeExamples(
      ['What has failed for good', 'inbox list --state dead --sqlite deliveries.db'],
      ['What became of an order', 'inbox list --order 1054 --redis REDIS_URL'],
    ),
  )
}

function defineStats(command: Command, run: Run): void {
  addInboxOptions(command.description('counts the deliveries by topic and state'))
    .addHelpText(
      'after',
      describeExamples(
        ['Of a file', 'inbox stats --sqlite deliveries.db'],
        ['Of the configuration, for a program', 'inbox stats --json'],
      ),
    )
    .action(run(async ({ output }, flags: InboxFlags) => useInbox(flags, 'read', (inbox) => printStats(inbox, output))))
}

function defineList(command: Command, run: Run): void {
  addInboxOptions(command.description('lists what was not handled yet, and dead letters'))
    .addOption(
      new Option('--state <state>', 'waiting, running or dead, or one of statistics').choices(Object.keys(STATES)),
    )
    .option('--topic <topic>', 'such as orders.place')
    .option('--code <code>', 'the code of the last error, such as HANDLER_FAILED')
    .option('--order <number>', 'the number of an order, also of one that is included')
    .option('--search <text>', 'an order number, an email address, or the id of a resource: the whole of it')
    .option('--older-than <duration>', 'received so long ago, such as 10m')
    .option('--limit <number>', 'how many at most', toCount, 20)
    .option('--after <id>', 'continues after this one')
    .option('--show-data', SHOW_DATA)
    .addHelpText(
      'after',
      describeExamples(
        ['What has failed for good', 'inbox list --state dead --sqlite deliveries.db'],
        ['What became of an order', 'inbox list --order 1054 --redis REDIS_URL'],
      ),
    )
    .action(
      run(async (context, flags: ListFlags) => {
        if (flags.topic !== undefined) warnOfUnknownTopic(flags.topic, context.output)
        return useInbox(flags, 'read', (inbox) => printList(inbox, flags, context))
      }),
    )
}

function defineShow(command: Command, run: Run): void {
  addInboxOptions(command.description('prints what is known of one delivery'))
    .argument('<id>', 'its id, or the beginning of it')
    .option('--show-data', `${SHOW_DATA}, and the body of a dead letter`)
    .addHelpText(
      'after',
      describeExamples(
        ['Why it has failed', 'inbox show 3q2aGhT0Zk1x --sqlite deliveries.db'],
        ['With its body', 'inbox show 3q2aGhT0Zk1x --show-data --json'],
      ),
    )
    .action(
      run(async (context, flags: ShowFlags, id: string) => {
        return useInbox(flags, 'read', (inbox) => printDelivery(inbox, id, flags, context))
      }),
    )
}

function addSelectionOptions(command: Command): Command {
  return addForceOption(addInboxOptions(command))
    .argument('[id]', 'the id of a dead letter, or the beginning of it')
    .option('--topic <topic>', 'those of a topic')
    .option('--code <code>', 'those whose last error has this code')
    .option('--order <number>', 'those of an order')
    .option('--since <time>', 'those that failed since then: 2h, or 2026-11-20T14:00:00Z')
    .option('--until <time>', 'those that failed until then')
    .option('--all', 'all dead letters')
}

function defineRetry(command: Command, run: Run): void {
  addSelectionOptions(command.description('puts dead letters back into the queue, with all attempts available again'))
    .option('--yes', 'retries all without a question')
    .addHelpText(
      'after',
      describeExamples(
        ['One', 'inbox retry 3q2aGhT0Zk1x --sqlite deliveries.db'],
        ['All of a topic that failed in the night', 'inbox retry --topic orders.place --since 8h'],
      ),
    )
    .action(
      run(async (context, flags: ChangeFlags, id?: string) => {
        return useInbox(flags, 'write', (inbox) => retryDeadLetters(inbox, id, flags, context))
      }),
    )
}

function defineDiscard(command: Command, run: Run): void {
  addSelectionOptions(command.description('deletes dead letters; their ids stay known'))
    .option('--yes', 'discards several or all without a question')
    .addHelpText(
      'after',
      describeExamples(
        ['One', 'inbox discard 3q2aGhT0Zk1x --sqlite deliveries.db'],
        ['All that failed long ago', 'inbox discard --until 30d --yes'],
      ),
    )
    .action(
      run(async (context, flags: ChangeFlags, id?: string) => {
        return useInbox(flags, 'write', (inbox) => discardDeadLetters(inbox, id, flags, context))
      }),
    )
}

function defineErase(command: Command, run: Run): void {
  addForceOption(
    addInboxOptions(command.description('deletes the deliveries that carry a resource; their ids stay known')),
  )
    .argument('<type>', 'such as customers')
    .argument('<id>', 'the id of the resource')
    .option('--yes', 'erases without a question')
    .addHelpText(
      'after',
      describeExamples(
        ['A customer', 'inbox erase customers NrlYhpzLKA --sqlite deliveries.db'],
        ['From a script', 'inbox erase customers NrlYhpzLKA --yes --json'],
      ),
    )
    .action(
      run(async (context, flags: ChangeFlags, type: string, id: string) => {
        return useInbox(flags, 'write', (inbox) => eraseResource(inbox, { type, id }, flags, context))
      }),
    )
}
