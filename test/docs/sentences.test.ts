import { describe, expect, it } from 'vitest'
import { PAGES, readProse } from './pages.ts'
import { countWords, splitSentences } from './sentences.ts'

/** Readers of another first language lose the thread of longer ones. */
const MAX_WORDS = 35

describe('splitting into sentences', () => {
  it('ends a sentence at a full stop, a question mark or an exclamation mark', () => {
    expect(splitSentences('It runs on Node 20.19. Does it?  Yes!\nIt does.')).toEqual([
      'It runs on Node 20.19.',
      'Does it?',
      'Yes!',
      'It does.',
    ])
  })

  it('takes headings, list items and cells by themselves', () => {
    const text = '# One\ntwo\n- three\n- four\n  five\n1. six\n\n| seven | `a | b` |\n|---|---|\n| eight | nine |'
    expect(splitSentences(text)).toEqual(['One', 'two', 'three', 'four five', 'six', 'seven', 'code', 'eight', 'nine'])
  })

  it('counts inline code as one word, and a link as its text', () => {
    const [sentence = ''] = splitSentences('Call `on(topic, handler)` as [the page](docs/a.md) — says.')
    expect(sentence).toBe('Call code as the page — says.')
    expect(countWords(sentence)).toBe(6)
  })
})

describe.each(PAGES)('%s', (page) => {
  it(`has no sentence of more than ${MAX_WORDS} words`, () => {
    const long = splitSentences(readProse(page)).filter((sentence) => countWords(sentence) > MAX_WORDS)
    expect(long.map((sentence) => `${page} (${countWords(sentence)} words): ${sentence}`)).toEqual([])
  })
})
