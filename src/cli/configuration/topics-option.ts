import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'

/** @param what the topics are for, and their default. */
export function addTopicsOption(command: Command, what: string): Command {
  return command.option('--topics <list>', `${what}; separated by commas, may be repeated`, readTopics)
}

const TOPIC = /^[a-z][a-z\d_]*\.[a-z][a-z\d_]*$/

/** Reads `orders.place,customers.create`, and adds it to the topics before. There need not be such topics. */
export function readTopics(text: string, before: readonly string[] = []): string[] {
  const topics = text.split(',').flatMap((topic) => topic.trim() || [])
  const wrong = topics.length === 0 ? text : topics.find((topic) => !TOPIC.test(topic))
  if (wrong === undefined) return [...new Set([...before, ...topics])]
  throw new CliError('USAGE', `--topics takes topics such as orders.place, separated by commas, and not "${wrong}".`)
}
