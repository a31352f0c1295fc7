import type { LambdaEvent } from '../../../src/bridge/aws.ts'
import type { Sent } from './deliveries.ts'

/** A request as the sender of an event has it: header names as they came, repeated headers not merged. */
export interface Received extends Sent {
  readonly method: string
  readonly fields: readonly (readonly [name: string, value: string])[]
}

/**
 * Makes the event of a request, in the shapes of AWS's developer guides of Lambda and VPC Lattice, with the fields that
 * a POST leaves empty.
 */
export type MakeEvent = (request: Received) => LambdaEvent & Readonly<Record<string, unknown>>

export const EVENTS: Readonly<Record<string, MakeEvent>> = {
  'API Gateway, REST (1.0)': (request) => ({
    resource: '/webhooks',
    path: '/webhooks',
    httpMethod: request.method,
    headers: lastOf(request.fields),
    multiValueHeaders: listsOf(request.fields),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: null,
    stageVariables: null,
    requestContext: { httpMethod: request.method, path: '/prod/webhooks', protocol: 'HTTP/1.1', stage: 'prod' },
    ...bodyOf(request, null),
  }),
  'API Gateway, HTTP (2.0)': (request) => ({
    ...payload2(request),
    requestContext: { ...contextOf(request), routeKey: 'POST /webhooks', stage: '$default' },
    ...bodyOf(request),
  }),
  'a function URL': (request) => ({
    ...payload2(request),
    requestContext: { ...contextOf(request), authentication: null, routeKey: '$default', stage: '$default' },
    ...bodyOf(request),
  }),
  'an Application Load Balancer': (request) => ({
    ...balanced(request),
    headers: lowerCased(lastOf(request.fields)),
    ...bodyOf(request, ''),
  }),
  'an Application Load Balancer with multi-value headers': (request) => ({
    ...balanced(request),
    multiValueHeaders: lowerCased(listsOf(request.fields)),
    multiValueQueryStringParameters: {},
    ...bodyOf(request, ''),
  }),
  'VPC Lattice, version 1': (request) => {
    const { body = '', isBase64Encoded } = bodyOf(request, '')
    return {
      raw_path: '/webhooks',
      method: request.method,
      headers: joined(request.fields),
      query_string_parameters: {},
      body,
      is_base64_encoded: isBase64Encoded,
    }
  },
  'VPC Lattice, version 2': (request) => ({
    version: '2.0',
    path: '/webhooks',
    method: request.method,
    headers: lowerCased(listsOf(request.fields)),
    queryStringParameters: {},
    ...bodyOf(request, ''),
    requestContext: {
      serviceNetworkArn: 'arn:aws:vpc-lattice:us-east-1:123456789012:servicenetwork/sn-0bf3f2882e9cc805a',
      region: 'us-east-1',
      timeEpoch: '1583348638390000',
    },
  }),
}

function payload2({ fields }: Received) {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/webhooks',
    rawQueryString: '',
    headers: joined(fields),
  }
}

function contextOf({ method }: Received) {
  return {
    accountId: '123456789012',
    http: { method, path: '/webhooks', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
    requestId: 'id',
    timeEpoch: 1583348638390,
  }
}

function balanced({ method }: Received) {
  const targetGroupArn = 'arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda/49e9d65c45c6791a'
  return {
    requestContext: { elb: { targetGroupArn } },
    httpMethod: method,
    path: '/webhooks',
    queryStringParameters: {},
  }
}

/**
 * Text if the content type is text and the bytes are valid; base64 otherwise. Each sender writes an empty body in its
 * own way.
 */
function bodyOf({ fields, body }: Received, nothing?: '' | null) {
  const { 'content-type': type = '', 'content-encoding': encoding } = lowerCased(lastOf(fields))
  const text = Buffer.from(body).toString('utf8')
  if (text === '') return { ...(nothing !== undefined && { body: nothing }), isBase64Encoded: false }
  const isText = !encoding && /^(text\/|application\/(json|javascript|xml))/.test(type)
  return isText && Buffer.from(text).equals(body)
    ? { body: text, isBase64Encoded: false }
    : { body: Buffer.from(body).toString('base64'), isBase64Encoded: true }
}

function lastOf(fields: Received['fields']): Record<string, string> {
  return Object.fromEntries(fields)
}

function listsOf(fields: Received['fields']): Record<string, string[]> {
  const lists: Record<string, string[]> = {}
  for (const [name, value] of fields) lists[name] = [...(lists[name] ?? []), value]
  return lists
}

function joined(fields: Received['fields']): Record<string, string> {
  return Object.fromEntries(Object.entries(lowerCased(listsOf(fields))).map(([name, list]) => [name, list.join(',')]))
}

function lowerCased<Value>(headers: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
