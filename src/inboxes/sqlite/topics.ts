import { toBuffer } from './rows.ts'
import type { InboxStatements } from './statements.ts'

/** The topics of the deliveries in a state, as bytes: one may be damaged. */
export function readTopics(statement: InboxStatements['openTopics' | 'unhandledTopics']): readonly Buffer[] {
  return statement.all().map((row) => toBuffer((row as { readonly topic: unknown }).topic))
}
