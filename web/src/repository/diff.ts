// A unified patch as rows to show: in one column, or in two with what was replaced beside what replaces it.

export type RowKind = 'same' | 'added' | 'removed' | 'hunk' | 'note'
export interface DiffRow {
  kind: RowKind
  text: string
  old: number | undefined
  new: number | undefined
  changed: [number, number] | undefined // characters that differ from the line it is paired with
}
export interface DiffPair {
  left: DiffRow | undefined
  right: DiffRow | undefined
}

export function rowsOf(patch: string): DiffRow[] {
  const rows: DiffRow[] = []
  let [oldLine, newLine, inHunk] = [0, 0, false]
  for (const line of patch.replace(/\n$/, '').split('\n')) {
    const head = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line)
    if (head) {
      ;[oldLine, newLine, inHunk] = [Number(head[1]), Number(head[2]), true]
      rows.push(row('hunk', line))
    } else if (!inHunk) continue
    else if (line[0] === '+') rows.push(row('added', line.slice(1), undefined, newLine++))
    else if (line[0] === '-') rows.push(row('removed', line.slice(1), oldLine++))
    else if (line[0] === '\\') rows.push(row('note', line.slice(2)))
    else rows.push(row('same', line.slice(1), oldLine++, newLine++))
  }
  markChanges(rows)
  return rows
}

function row(kind: RowKind, text: string, old?: number, added?: number): DiffRow {
  return { kind, text: text.replace(/\r$/, ''), old, new: added, changed: undefined }
}

// Each removed line of a block beside the added line of the same place.
export function pairsOf(rows: readonly DiffRow[]): DiffPair[] {
  const pairs: DiffPair[] = []
  let at = 0
  const take = (kind: RowKind) => {
    const taken: DiffRow[] = []
    for (; rows[at] && (rows[at]!.kind === kind || (rows[at]!.kind === 'note' && taken.length > 0)); at++)
      taken.push(rows[at]!)
    return taken
  }
  while (at < rows.length) {
    const here = rows[at]!
    if (here.kind === 'removed' || here.kind === 'added') {
      const [removed, added] = [take('removed'), take('added')]
      for (let index = 0; index < Math.max(removed.length, added.length); index++)
        pairs.push({ left: removed[index], right: added[index] })
    } else {
      pairs.push({ left: here, right: here })
      at++
    }
  }
  return pairs
}

function markChanges(rows: DiffRow[]): void {
  for (const { left, right } of pairsOf(rows)) {
    if (left?.kind !== 'removed' || right?.kind !== 'added') continue
    const [start, end] = commonEnds(left.text, right.text)
    // Lines that share next to nothing are no change of one another.
    if ((start + end) * 5 < Math.max(left.text.length, right.text.length)) continue
    left.changed = [start, left.text.length - end]
    right.changed = [start, right.text.length - end]
  }
}

function commonEnds(a: string, b: string): [number, number] {
  const most = Math.min(a.length, b.length)
  let start = 0
  while (start < most && a[start] === b[start]) start++
  let end = 0
  while (end < most - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  return [start, end]
}
