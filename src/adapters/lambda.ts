import { fromLambda, type LambdaEvent, type LambdaResult, toLambda } from '../bridge/aws.ts'
import type { Receiver } from '../receiver/receiver.ts'

/**
 * The receiver as a Lambda handler, behind API Gateway (REST and HTTP), a function URL or an Application Load Balancer:
 * `export const handler = createLambdaHandler(receiver)`. It resolves when the handlers have ended, as Lambda freezes after.
 */
export function createLambdaHandler(
  receiver: Pick<Receiver, 'receive'>,
): (event: LambdaEvent, context?: unknown) => Promise<LambdaResult> {
  return async (event) => toLambda(await receiver.receive(fromLambda(event)), event)
}
