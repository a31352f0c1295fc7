/** One call to a webhook, as the emulator answers it. */
interface TriggeredCall {
  readonly response_code: string | null
  readonly response_message: string | null
}

/** Gives a function that has the emulator of `hooklayer dev` create an event and call its webhooks. */
export async function connectToEmulator(): Promise<(topic: string, resource?: object) => Promise<TriggeredCall[]>> {
  const { CL_API_URL, CL_CLIENT_ID: client_id, CL_CLIENT_SECRET: client_secret } = process.env
  const post = async (path: string, body: object, headers = {}) => {
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }
    const answer = await fetch(`${CL_API_URL}${path}`, init)
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}.`)
    return answer.json()
  }
  const grant = { grant_type: 'client_credentials', client_id, client_secret }
  const { access_token } = (await post('/oauth/token', grant)) as { access_token: string }
  return async (topic, resource = {}) => {
    const authorization = `Bearer ${access_token}`
    const answer = await post('/emulator/trigger', { topic, resource }, { authorization })
    return (answer as { event_callbacks: TriggeredCall[] }).event_callbacks
  }
}
