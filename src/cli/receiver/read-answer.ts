const MAX_LENGTH = 200
/** The line of a page, which is for people in a browser. */
const MAX_LINE = 80
/** What a browser does not show. */
const HIDDEN = ['head', 'script', 'style']

/**
 * What is printed of an answer: the code or the outcome of a receiver of ours, and of any other one the beginning. Of a
 * page, such as that of a framework for a wrong path, it is the type and the first words that a browser shows.
 */
export async function readAnswer(response: Response): Promise<string> {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  const text = await response.text()
  if (type.trim().toLowerCase() !== 'text/html') return readWord(text) ?? text.slice(0, MAX_LENGTH)
  const line = readPage(text).slice(0, MAX_LINE).trim()
  return line === '' ? 'text/html' : `text/html: ${line}`
}

function readPage(html: string): string {
  const shown: string[] = []
  let hiddenBy: string | undefined
  for (const part of html.split('<')) {
    const end = part.indexOf('>')
    const [name = ''] = /^\/?[a-z]*/i.exec(part) ?? []
    const tag = name.toLowerCase()
    if (tag === `/${hiddenBy}`) hiddenBy = undefined
    else if (hiddenBy === undefined && HIDDEN.includes(tag)) hiddenBy = tag
    if (hiddenBy === undefined && end >= 0) shown.push(part.slice(end + 1))
  }
  return shown.join(' ').split(/\s+/).join(' ').trim()
}

/** The code or the outcome in an answer, if it has one. */
export function readWord(text: string): string | undefined {
  try {
    const { code, outcome, error, status } = JSON.parse(text)
    const word = code ?? outcome ?? error?.code ?? status
    return typeof word === 'string' ? word : undefined
  } catch {
    return undefined // It is of another make.
  }
}
