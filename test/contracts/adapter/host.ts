import { afterAll, beforeAll } from 'vitest'
import { itUnless } from '../../unless.ts'
import { openRemote, type RemoteReceiver } from './harness.ts'
import type { Scenario } from './receiver-under-test.ts'

/** A server that listens. */
export interface Listening {
  /** Where the receivers of the suite are mounted. */
  readonly url: string
  /** Closes the server and every connection it has. */
  close(): Promise<void>
}

/** What not every platform supports. */
type Ability =
  /** Requests of every method reach the receiver. */
  | 'every method'
  /** A request reaches the receiver before its body has arrived. */
  | 'streamed bodies'
  /** After an early answer, the rest of the body is read, so that the sender can read the answer. */
  | 'draining'
  /** So is that of a body whose length was announced, and is not much. */
  | 'draining what was announced'
  /** It is not read to its end however long it is: the connection is closed. */
  | 'bounded draining'
  /** An answer that its sender never reads is given up, so that it does not stay for ever. */
  | 'giving up'
  /** A connection serves the next request, too. */
  | 'keep-alive'
  /** A connection is closed when its sender asks for it, and not before the sender has read the answer. */
  | 'closing'
  /** A connection whose body did not arrive is closed with the answer. */
  | 'closing after a timeout'
  /** The receiver learns that the sender has disconnected. */
  | 'disconnects'
  /** A handler goes on after the sender has disconnected. */
  | 'running on'
  /** A header that is sent twice arrives twice. */
  | 'repeated headers'
  /** A header with a space before its colon, or with a carriage return, is refused. */
  | 'strict headers'
  /** A malformed content type makes no difference. */
  | 'any content type'
  /** The handlers can run after the answer. */
  | 'background'
  /** The host is in this process, and its memory can be measured. */
  | 'this process'

/** What a platform does not support, and why. */
export type Limitations = Partial<Record<Ability, string>>

/** For the adapters of Node's own requests, and for Lambda, which freezes after the answer. */
export const NO_BACKGROUND: Limitations = { background: 'the adapter has no such option' }

/** For a host that is another program. */
export const OTHER_PROCESS: Limitations = { 'this process': 'the memory of another process cannot be measured' }

type Case = (name: string, run: () => Promise<void>) => void

/** A host that tests are run against. */
export interface Host {
  open(scenario?: Scenario): Promise<RemoteReceiver>
  /** Defines a test that needs these abilities: where the platform lacks one, it is skipped with the reason. */
  readonly needs: (...abilities: readonly Ability[]) => Case
}

/** Starts a host for a block of tests, and closes it after. */
export function createHost(start: () => Promise<Listening>, limitations: Limitations, startTimeoutMs: number): Host {
  let listening: Listening | undefined
  beforeAll(async () => {
    listening = await start()
  }, startTimeoutMs)
  afterAll(() => listening?.close())
  return {
    open(scenario) {
      if (!listening) throw new Error('The host has not been started.')
      return openRemote(listening.url, scenario)
    },
    needs(...abilities) {
      const reason = abilities.map((ability) => limitations[ability]).find(Boolean)
      return itUnless(reason)
    },
  }
}
