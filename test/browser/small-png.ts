import { deflateSync } from 'node:zlib'
import type { Page } from 'playwright-core'

interface Indexed {
  readonly width: number
  readonly height: number
  /** Red, green and blue of each color. */
  readonly palette: readonly number[]
  /** In base64: one byte for each pixel. */
  readonly pixels: string
}

/** A screenshot with 256 colors, which for a page of text is a third of the bytes. */
export async function takeSmallScreenshot(page: Page): Promise<Buffer> {
  const png = await page.screenshot()
  const empty = await page.context().newPage()
  const indexed = await empty.evaluate(reduceColors, png.toString('base64'))
  await empty.close()
  return encodePng(indexed)
}

/** The most frequent of similar colors stay as they are, the others become the nearest of them. */
async function reduceColors(base64: string): Promise<Indexed> {
  const image = new Image()
  image.src = `data:image/png;base64,${base64}`
  await image.decode()
  const { width, height } = image
  const context = new OffscreenCanvas(width, height).getContext('2d')
  if (!context) throw new Error('There is no canvas.')
  context.drawImage(image, 0, 0)
  const { data } = context.getImageData(0, 0, width, height)
  const at = (i: number) => ((data[i] ?? 0) << 16) | ((data[i + 1] ?? 0) << 8) | (data[i + 2] ?? 0)
  const counts = new Map<number, number>()
  for (let i = 0; i < data.length; i += 4) counts.set(at(i), (counts.get(at(i)) ?? 0) + 1)
  const split = (color: number) => [color >> 16, (color >> 8) & 255, color & 255] as const
  const byNumber = [...counts].sort(([, a], [, b]) => b - a)
  const firstOfSimilar = new Map(byNumber.toReversed().map((entry) => [entry[0] & 0xe0e0e0, entry]))
  const kept = [...new Set([...byNumber.slice(0, 16), ...firstOfSimilar.values(), ...byNumber])].slice(0, 256)
  const colors = kept.map(([color]) => split(color))
  const indexes = new Map(kept.map(([color], i) => [color, i]))
  const nearest = (color: number) => {
    const [r, g, b] = split(color)
    const distances = colors.map(([red, green, blue]) => (red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2)
    return distances.indexOf(Math.min(...distances))
  }
  let pixels = ''
  for (let i = 0; i < data.length; i += 4) {
    const color = at(i)
    const index = indexes.get(color) ?? nearest(color)
    indexes.set(color, index)
    pixels += String.fromCharCode(index)
  }
  return { width, height, palette: colors.flat(), pixels: btoa(pixels) }
}

/** As the PNG specification (W3C) has it: header, palette, rows without a filter. */
function encodePng({ width, height, palette, pixels }: Indexed): Buffer {
  const indexes = Buffer.from(pixels, 'base64')
  const rows = Buffer.alloc(height * (width + 1))
  for (let y = 0; y < height; y++) indexes.copy(rows, y * (width + 1) + 1, y * width, (y + 1) * width)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 3, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    writeChunk('IHDR', header),
    writeChunk('PLTE', Buffer.from(palette)),
    writeChunk('IDAT', deflateSync(rows, { level: 9 })),
    writeChunk('IEND', Buffer.alloc(0)),
  ])
}

function writeChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(data.length, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return (crc ^ 0xffffffff) >>> 0
}
