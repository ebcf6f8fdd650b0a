// Searches a log, as much of it as is there, a slice at a time so that the page stays quick.
import type { LogBuffer } from './buffer'

export interface Found {
  lines: number[]
  done: boolean
}

const sliceMilliseconds = 6
const lookEvery = 256 // lines between two looks at the clock
export const foundMost = 10_000 // lines; beyond that the count says "more than"

export async function find(
  buffer: LogBuffer,
  text: string,
  tell: (found: Found) => void,
  signal: AbortSignal,
): Promise<void> {
  const wanted = text.toLowerCase()
  const lines: number[] = []
  let began = performance.now()
  for (let line = 0; line < buffer.count && lines.length < foundMost; line++) {
    if (buffer.plain(line).toLowerCase().includes(wanted)) lines.push(line)
    if (line % lookEvery !== 0 || performance.now() - began < sliceMilliseconds) continue
    tell({ lines, done: false })
    await new Promise((next) => setTimeout(next))
    if (signal.aborted) return
    began = performance.now()
  }
  tell({ lines, done: true })
}

// The pieces of a text that fit, for them to be marked.
export function pieces(text: string, wanted: string): { text: string; hit: boolean }[] {
  if (!wanted) return [{ text, hit: false }]
  const [lower, search] = [text.toLowerCase(), wanted.toLowerCase()]
  if (lower.length !== text.length) return [{ text, hit: false }] // lower case is of another length: no places to mark
  const found: { text: string; hit: boolean }[] = []
  let at = 0
  for (let hit = lower.indexOf(search); hit >= 0; hit = lower.indexOf(search, at)) {
    if (hit > at) found.push({ text: text.slice(at, hit), hit: false })
    at = hit + search.length
    found.push({ text: text.slice(hit, at), hit: true })
  }
  if (at < text.length) found.push({ text: text.slice(at), hit: false })
  return found
}
