import { fromLambda, type LambdaEvent, type LambdaResult, toLambda } from '../bridge/aws.ts'
import type { Receiver } from '../receiver/receiver.ts'

/**
 * Makes an AWS Lambda handler, behind API Gateway (REST and HTTP), a function URL or an Application Load Balancer. It
 * resolves when the handlers have ended, because Lambda stops the process then.
 *
 * @example
 * export const handler = createLambdaHandler(receiver)
 */
export function createLambdaHandler(
  receiver: Pick<Receiver, 'receive'>,
): (event: LambdaEvent, context?: unknown) => Promise<LambdaResult> {
  return async (event) => toLambda(await receiver.receive(fromLambda(event)), event)
}
