const SECONDS = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const
const clock = new Intl.DateTimeFormat('en-GB', { ...SECONDS, fractionalSecondDigits: 3 })
const minuteClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const dayAndClock = new Intl.DateTimeFormat('en-GB', { ...SECONDS, month: 'short', day: 'numeric' })
const wholeMoment = new Intl.DateTimeFormat('en-GB', {
  ...SECONDS,
  dateStyle: undefined,
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  timeZoneName: 'short',
})
const count = new Intl.NumberFormat('en')

/** In the zone of the reader: the time of today, with the day if it was another one. */
export function formatTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return '–'
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : dayAndClock.format(date)
}

/** In the zone of the reader, hours and minutes. */
export function formatMinute(iso: string): string {
  return minuteClock.format(new Date(iso))
}

/** Day, time and zone of the reader. */
export function formatMoment(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? '–' : wholeMoment.format(date)
}

export function formatUtc(iso: string): string {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? '' : `${date.toISOString().replace('T', ' ').replace('Z', '')} UTC`
}

export function formatCount(number: number): string {
  return count.format(number)
}

/** Of 1, in percent. Only nothing is 0 %. */
export function formatShare(share: number): string {
  return share > 0 && share < 0.01 ? 'under 1 %' : `${Math.round(share * 100)} %`
}

/** `1 delivery`, `2 deliveries`. */
export function formatNumberOf(number: number, one: string, many = `${one}s`): string {
  return `${formatCount(number)} ${number === 1 ? one : many}`
}

export function formatMs(ms: number): string {
  if (ms < 0.1) return '<0.1 ms'
  if (ms < 10) return `${ms.toFixed(1)} ms`
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatSpan(ms)
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** How long ago or how far ahead something is: `3 min`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`
}
