import { useEffect, useRef, useState } from 'preact/hooks'
import type { AnswerPage } from '../../api.ts'
import { get } from '../api-client.ts'
import type { Live } from '../live.ts'
import { useLoaded } from '../use-loaded.ts'

const RETRY_MS = 400

/** The last answers. New ones are shown as they come, or `hasNew` says so where somebody reads. */
export function useAnswers(live: Live, isReading: () => boolean) {
  const { value, problem, isLoading, reload } = useLoaded('answers', (signal) => {
    return get<AnswerPage>('api/answers', {}, signal)
  })
  const [hasNew, setNew] = useState(false)
  const reading = useRef(isReading)
  reading.current = isReading
  useEffect(() => {
    return live.listen(({ type }) => {
      if (type === 'answers' || type === 'gap') setNew(true)
    })
  }, [live])
  useEffect(() => setNew(false), [value])
  // What was held back is shown when the reader has gone.
  useEffect(() => {
    if (!hasNew) return
    const showUnread = () => {
      if (!reading.current()) reload()
    }
    showUnread()
    const timer = setInterval(showUnread, RETRY_MS)
    return () => clearInterval(timer)
  }, [hasNew, reload])
  return { page: value, problem, isLoading, hasNew, reload }
}
