import { fromLambda, type LambdaEvent, type LambdaResult, toLambda } from '../bridge/aws.ts'
import { checkMethods } from '../core/check-options.ts'
import type { Receiver } from '../receiver/receiver.ts'

const FIX =
  'In Lambda, `event.body` must be as AWS gave it: take body parsers such as `httpJsonBodyParser()` of middy ' +
  'out of this function.'

/**
 * Makes an AWS Lambda handler, behind API Gateway (REST and HTTP), a function URL, an Application Load Balancer or VPC
 * Lattice. It resolves when the handlers have ended, because Lambda stops the process then. It rejects for messages of
 * SQS and other `Records`, so that none is deleted unhandled.
 *
 * @throws TypeError if `receiver` has no method `receive`.
 * @example
 * export const handler = createLambdaHandler(receiver)
 */
export function createLambdaHandler(
  receiver: Pick<Receiver, 'receive'>,
): (event: LambdaEvent, context?: unknown) => Promise<LambdaResult> {
  checkMethods('receiver', receiver, ['receive'])
  return async (event) => toLambda(await receiver.receive(fromLambda(event, FIX)), event)
}
