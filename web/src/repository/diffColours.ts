// Colours of the rows of a patch: each side is read as the text that it is, so far as the patch shows it.
import type { DiffRow } from './diff'
import type { Line, Piece } from './highlight'
import { colouredMost, languageOf } from './languages'

export type Colours = ReadonlyMap<DiffRow, Line>

// Of the old side those that are no more; of the new one all else. Nothing where the file is of no known language, or long.
export async function coloursOf(rows: readonly DiffRow[], path: string): Promise<Colours | undefined> {
  const language = languageOf(path, rows.find((row) => row.old === 1 || row.new === 1)?.text)
  if (!language || rows.reduce((sum, row) => sum + row.text.length, 0) > colouredMost / 3) return undefined
  const { coloured } = await import('./highlight')
  await quiet()
  const found = new Map<DiffRow, Line>()
  for (const side of ['old', 'new'] as const) {
    const shown = rows.filter((row) => row[side] !== undefined)
    const lines = await coloured(shown.map((row) => row.text).join('\n'), language)
    shown.forEach((row, index) => found.set(row, lines[index] ?? []))
  }
  return found
}

// A commit has many files: their colours wait until the page is at rest.
const quiet = () =>
  new Promise<unknown>((done) => ('requestIdleCallback' in globalThis ? requestIdleCallback(done) : setTimeout(done)))

export interface DiffPiece extends Piece {
  word: boolean // it differs from the line it is paired with, and is written without a colour
}

// The pieces of a row, parted where its changed characters begin and end.
export function piecesOf(row: DiffRow, line: Line | undefined): DiffPiece[] {
  const [from, to] = row.changed ?? [0, 0]
  const pieces: DiffPiece[] = []
  let at = 0
  for (const { text, role } of line?.length ? line : [{ text: row.text, role: undefined }]) {
    const cuts = [0, from - at, to - at, text.length].map((cut) => Math.min(Math.max(cut, 0), text.length))
    for (let part = 0; part < 3; part++) {
      const piece = text.slice(cuts[part], cuts[part + 1])
      const word = part === 1
      if (piece) pieces.push({ text: piece, role: word ? undefined : role, word })
    }
    at += text.length
  }
  return pieces
}
