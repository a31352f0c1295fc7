/**
 * The sentences of a Markdown text without fenced code. List items, headings and cells of tables have sentences of
 * their own.
 */
export function splitSentences(prose: string): string[] {
  return splitBlocks(prose)
    .map(toPlainText)
    .flatMap((block) => block.split(/(?<=[.!?]["')\]]*)\s+/))
    .map((sentence) => sentence.trim())
    .filter((sentence) => countWords(sentence) > 0)
}

/** Words are what stands between spaces and has a letter or a digit. */
export function countWords(sentence: string): number {
  return sentence.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length
}

function splitBlocks(prose: string): string[] {
  return prose
    .replace(/<!--[\s\S]*?-->/g, '')
    .split(/\n\s*\n|\n(?=\s*(?:[-*+]|\d+\.)\s)|\n(?=#)|(?<=^#.*)\n|\n(?=\|)|(?<=\|)\n/m)
    .flatMap((block) => (block.startsWith('|') ? splitCells(block) : [block]))
}

/** A bar in inline code belongs to the code. */
function splitCells(row: string): string[] {
  return row.replace(/`[^`]*`/g, 'code').split(/(?<!\\)\|/)
}

/** Inline code counts as one word, and a link as its text. */
function toPlainText(block: string): string {
  return block
    .replace(/`[^`]*`/g, 'code')
    .replace(/!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?/g, '$1')
    .replace(/^\s*(?:[-*+>]|\d+\.|#+)\s+/, '')
    .replace(/\*\*|__/g, '')
    .replace(/\s+/g, ' ')
}
