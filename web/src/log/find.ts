// Searches a log, as much of it as is there, a slice at a time so that the page stays quick.
import type { LogBuffer } from './buffer'

export interface Found {
  lines: number[]
  done: boolean
}

const slice = 20_000
export const foundMost = 10_000 // lines; beyond that the count says "more than"

export async function find(buffer: LogBuffer, text: string, tell: (found: Found) => void, signal: AbortSignal): Promise<void> {
  const wanted = text.toLowerCase()
  const lines: number[] = []
  for (let from = 0; from < buffer.count && lines.length < foundMost; from += slice) {
    const to = Math.min(buffer.count, from + slice)
    for (let line = from; line < to && lines.length < foundMost; line++)
      if (buffer.plain(line).toLowerCase().includes(wanted)) lines.push(line)
    if (signal.aborted) return
    tell({ lines, done: false })
    await new Promise((next) => setTimeout(next))
    if (signal.aborted) return
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
