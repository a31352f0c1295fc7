import { afterAll, beforeAll } from 'vitest'
import { itUnless } from '../../unless.ts'
import { openScene, type Scene } from './harness.ts'
import type { Play } from './receiver-under-test.ts'

/** A server that listens. */
export interface Listening {
  /** Where the stage is mounted. */
  readonly url: string
  /** Closes the server and every connection it has. */
  close(): Promise<void>
}

/** What not every platform can show. */
type Ability =
  /** Requests of every method reach the receiver. */
  | 'every method'
  /** A request reaches the receiver while its body is still on the way. */
  | 'bodies on their way'
  /** A sender that goes on after an early answer is listened to until it can read it. */
  | 'lingering'
  /** A connection serves the next request too. */
  | 'keep-alive'
  /** A connection is closed when its sender wants it, and not before it has read the answer. */
  | 'closing'
  /** A connection whose body did not come is closed with the answer. */
  | 'hanging up'
  /** The receiver learns that a sender has hung up. */
  | 'hang-ups'
  /** A handler goes on when the sender has hung up. */
  | 'steadfastness'
  /** A header that is sent twice is seen twice. */
  | 'repeated headers'
  /** A content type that is malformed is no matter. */
  | 'any content type'
  /** The handlers can run after the answer. */
  | 'background'
  /** The host is in this process, and its memory can be measured. */
  | 'this process'

/** What a platform cannot show, and why. */
export type Limitations = Partial<Record<Ability, string>>

/** For the adapters of Node's own requests, and for Lambda, which freezes after the answer. */
export const NO_BACKGROUND: Limitations = { background: 'the adapter has no such option' }

/** For a host that is another program. */
export const OTHER_PROCESS: Limitations = { 'this process': 'another process, whose memory is not to be seen' }

type Case = (name: string, run: () => Promise<void>) => void

/** A host on which cases are run. */
export interface Host {
  open(play?: Play): Promise<Scene>
  /** For a case that needs something special: it is skipped, and says why, where that is not to be had. */
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
    open(play) {
      if (!listening) throw new Error('The host has not been started.')
      return openScene(listening.url, play)
    },
    needs(...abilities) {
      const reason = abilities.map((ability) => limitations[ability]).find(Boolean)
      return itUnless(reason)
    },
  }
}
