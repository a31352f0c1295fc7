export const SECRET_PREFIX = 'CL_SECRET_'

/** The name of the variable that holds the secret of a topic. */
export function toVariable(topic: string, prefix: string = SECRET_PREFIX): string {
  return `${prefix}${topic.replace('.', '__').toUpperCase()}`
}
