// Reads a job's log into a buffer and goes on where it was after every loss, until the job is over and all is read, or no
// more can be held.
import { LogBuffer } from './buffer'

// From a byte on, or the lines within the last bytes of what there is.
export type Begin = { from: number } | { last: number }

export interface Source {
  open(begin: Begin, follow: boolean, signal: AbortSignal): Promise<Response>
  over(): boolean // the job has ended: nothing more comes than what is there
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

const waitMost = 5_000
const breathAfter = 8 // milliseconds of reading, then the page may paint

export async function readLog(
  buffer: LogBuffer,
  last: number, // bytes, to begin with
  source: Source,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  let begun = false
  for (let tries = 0; !signal.aborted && !buffer.full; tries++) {
    const over = source.over()
    const before = buffer.length
    try {
      const response = await source.open(begun ? { from: buffer.next } : { last }, !over, signal)
      if (!begun) buffer.begin(...firstOf(response))
      begun = true
      await readOnce(buffer, response, source, changed, signal)
      if (over) return // asked after the end, and read to the end
    } catch (error) {
      if (signal.aborted) return
      if (over && tries > 3) throw error
    }
    if (buffer.length > before) tries = 0
    if (!source.over()) await source.sleep(Math.min(waitMost, 250 * 2 ** tries), signal)
  }
}

function firstOf({ headers }: Response): [byte: number, line: number] {
  return [Number(headers.get('X-Headrace-First-Byte') ?? 0), Number(headers.get('X-Headrace-First-Line') ?? 1)]
}

async function readOnce(
  buffer: LogBuffer,
  response: Response,
  source: Source,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = response.body?.getReader()
  if (!reader) return
  let since = performance.now()
  while (!signal.aborted) {
    const piece = await reader.read()
    if (piece.done) return
    buffer.add(piece.value)
    changed()
    if (buffer.full) return void reader.cancel()
    if (performance.now() - since < breathAfter) continue
    await source.sleep(0, signal)
    since = performance.now()
  }
}
