import { useEffect, useRef, useState } from 'preact/hooks'
import { change, toSentence } from './api-client.ts'

/** A change that the reader makes: what it gave, or why it failed. */
export interface Change<T> {
  readonly value?: T
  readonly problem?: string
  readonly isBusy: boolean
  /** @param then is called with what it gave, unless the reader has gone. */
  readonly send: (path: string, body?: unknown, then?: (value: T) => void) => Promise<void>
}

export function useChange<T>(): Change<T> {
  const [state, setState] = useState<Omit<Change<T>, 'send'>>({ isBusy: false })
  const isGone = useRef(false)
  useEffect(() => {
    return () => {
      isGone.current = true
    }
  }, [])
  const send: Change<T>['send'] = async (path, body, then) => {
    setState({ isBusy: true })
    try {
      const value = await change<T>('POST', path, body)
      if (isGone.current) return
      setState({ value, isBusy: false })
      then?.(value)
    } catch (error) {
      if (!isGone.current) setState({ problem: toSentence(error), isBusy: false })
    }
  }
  return { ...state, send }
}
