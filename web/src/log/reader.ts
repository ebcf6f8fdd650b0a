// Reads a job's log into a buffer and goes on where it was after every loss, until the job is over and all is read.
import { LogBuffer } from './buffer'

export interface Source {
  open(from: number, follow: boolean, signal: AbortSignal): Promise<Response>
  over(): boolean // the job has ended: nothing more comes than what is there
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
}

const waitMost = 5_000
const breathAfter = 8 // milliseconds of reading, then the page may paint

export async function readLog(
  buffer: LogBuffer,
  source: Source,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 0; !signal.aborted && !buffer.full; tries++) {
    const over = source.over()
    const before = buffer.length
    try {
      await readOnce(buffer, await source.open(buffer.length, !over, signal), source, changed, signal)
      if (over) return // asked after the end, and read to the end
    } catch (error) {
      if (signal.aborted) return
      if (over && tries > 3) throw error
    }
    if (buffer.length > before) tries = 0
    if (!source.over()) await source.sleep(Math.min(waitMost, 250 * 2 ** tries), signal)
  }
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
