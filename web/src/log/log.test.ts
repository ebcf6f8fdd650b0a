import { describe, expect, it } from 'vitest'
import { ansiAfter, plain, spansOf } from './ansi'
import { bytesMost, LogBuffer } from './buffer'
import { find, pieces } from './find'
import { Layout } from './layout'
import { parsePlace, writePlace } from './place'
import { readLog } from './reader'
import { heightMost, scrollTopOf, sightOf } from './window'

const encode = (text: string) => new TextEncoder().encode(text)
const time = '2026-11-23T07:16:00.123456Z'
const written = (lines: [number, string][]) => lines.map(([step, text]) => `${time} ${step} ${text}\n`).join('')
const bufferOf = (lines: [number, string][]) => {
  const buffer = new LogBuffer()
  buffer.add(encode(written(lines)))
  return buffer
}

describe('the text of a log', () => {
  const lines: [number, string][] = [
    [0, 'Runs in a sandbox.'],
    [1, '##[group]Run make'],
    [1, 'ünï 编译'],
    [1, '##[endgroup]'],
    [1, ''],
    [12, '##[error]broken'],
    [12, '  indented'],
  ]

  it('is read however it is cut, within characters too', () => {
    const bytes = encode(written(lines))
    for (const size of [1, 2, 3, 7, 64, 10_000]) {
      const buffer = new LogBuffer()
      for (let at = 0; at < bytes.length; at += size) buffer.add(bytes.slice(at, at + size))
      expect(buffer.count, `in pieces of ${size}`).toBe(lines.length)
      expect(lines.map((_, line) => [buffer.stepOf(line), buffer.line(line).text])).toEqual(lines)
      expect(buffer.line(2).time).toBe(time)
      expect(buffer.marks).toEqual([
        { line: 1, kind: 'group' },
        { line: 3, kind: 'endgroup' },
        { line: 5, kind: 'error' },
      ])
    }
  })

  it('waits for the end of a line', () => {
    const buffer = new LogBuffer()
    buffer.add(encode(`${time} 1 half`))
    expect(buffer.count).toBe(0)
    buffer.add(encode(' of it\n'))
    expect(buffer.line(0).text).toBe('half of it')
  })

  it('keeps colours from line to line of a step, whichever way it is cut', () => {
    const coloured: [number, string][] = [
      [1, 'a \x1b[31mred'],
      [1, 'still red'],
      [1, 'red\x1b[0m and not'],
      [1, 'plain \x1b[1mbold'],
      [2, 'another step'],
    ]
    for (const size of [1, 5, 10_000]) {
      const buffer = new LogBuffer()
      const bytes = encode(written(coloured))
      for (let at = 0; at < bytes.length; at += size) buffer.add(bytes.slice(at, at + size))
      const states = coloured.map((_, line) => buffer.styleAt(line))
      expect(states).toEqual([undefined, { foreground: '1' }, { foreground: '1' }, undefined, undefined])
    }
  })

  it('ends at its bound and says so', () => {
    const buffer = new LogBuffer()
    const piece = encode(`${time} 1 ${'x'.repeat(1024 * 1024 - 31)}\n`)
    for (let at = 0; at < bytesMost; at += piece.length) buffer.add(piece)
    buffer.add(piece)
    expect([buffer.full, buffer.length]).toEqual([true, bytesMost])
  })

  it('takes 200,000 lines quickly', () => {
    const many = encode(written(Array.from({ length: 200_000 }, (_, n) => [1, `line ${n} of a build that says a lot`])))
    const buffer = new LogBuffer()
    const begun = performance.now()
    for (let at = 0; at < many.length; at += 65_536) buffer.add(many.subarray(at, at + 65_536))
    const took = performance.now() - begun
    console.log(`200,000 lines, ${(many.length / 2 ** 20).toFixed(1)} MiB, indexed in ${took.toFixed(0)} ms`)
    expect(buffer.count).toBe(200_000)
    expect(took).toBeLessThan(2_000)
  })
})

describe('colours', () => {
  it('become spans', () => {
    expect(spansOf('a \x1b[1;31mb\x1b[0m c', undefined)).toEqual([
      { text: 'a ', style: undefined },
      { text: 'b', style: { bold: true, foreground: '1' } },
      { text: ' c', style: undefined },
    ])
  })
  it.each([
    ['\x1b[38;5;9mx', '9'],
    ['\x1b[38;5;196mx', '#ff0000'],
    ['\x1b[38;5;244mx', '#808080'],
    ['\x1b[38;2;1;2;3mx', '#010203'],
    ['\x1b[97mx', '15'],
    ['\x1b[38;5;999mx', undefined],
    ['\x1b[31m\x1b[39mx', undefined],
  ])('%j', (text, foreground) => expect(spansOf(text, undefined)[0]!.style?.foreground).toBe(foreground))

  it('other sequences go, other controls are shown, progress is resolved', () => {
    expect(plain('\x1b[2K\x1b[1Ga\x1b]8;;http://x\x07b\x1b]8;;\x07\x07\tc')).toBe('ab\\x07\tc')
    expect(plain('10 %\r50 %\r100 %\r')).toBe('100 %')
    expect(ansiAfter('\x1b[4mx\x1b[24m', undefined)).toBeUndefined()
  })
})

describe('the rows of a log', () => {
  const buffer = bufferOf([
    [0, 'a'],
    [1, '##[group]G'],
    [1, 'in'],
    [1, 'in'],
    [1, '##[endgroup]'],
    [1, 'out'],
    [3, 'last'],
  ])
  const steps = (open: number[]) => [0, 1, 2, 3].map((number) => ({ number, open: open.includes(number) }))
  const rowsOf = (layout: Layout) => Array.from({ length: layout.rows }, (_, row) => layout.at(row)!)

  it('are heads alone where all is folded', () => {
    const layout = new Layout(buffer, steps([]), () => true)
    expect(rowsOf(layout)).toEqual([0, 1, 2, 3].map((step) => ({ kind: 'step', step })))
    expect(layout.rowOf(6, (line) => buffer.stepOf(line))).toBe(3)
    expect(layout.at(4)).toBeUndefined()
  })

  it('have groups that fold', () => {
    const shut = new Layout(buffer, steps([1]), () => false)
    expect(rowsOf(shut)).toEqual([
      { kind: 'step', step: 0 },
      { kind: 'step', step: 1 },
      { kind: 'group', line: 1, open: false },
      { kind: 'line', line: 5 },
      { kind: 'step', step: 2 },
      { kind: 'step', step: 3 },
    ])
    const open = new Layout(buffer, steps([1, 3]), () => true)
    expect(
      rowsOf(open)
        .filter((row) => row.kind === 'line')
        .map((row) => (row as { line: number }).line),
    ).toEqual([2, 3, 5, 6])
    const stepOf = (line: number) => buffer.stepOf(line)
    expect(shut.isShown(3, stepOf)).toBe(false)
    expect(open.isShown(3, stepOf)).toBe(true)
    expect(open.at(open.rowOf(6, stepOf))).toEqual({ kind: 'line', line: 6 })
    expect(open.headAbove(4)).toBe(1)
  })
})

describe('what is in sight', () => {
  it('is what fits, and a little more', () => {
    const sight = sightOf(1000, 20, 4000, 400)
    expect([sight.first, sight.height]).toEqual([190, 20_000])
    expect(sight.top + (200 - sight.first) * 20).toBe(4000)
  })
  it.each([10, 200_000, 5_000_000])('reaches the first and the last of %i rows', (rows) => {
    const [view, row] = [600, 20]
    const end = scrollTopOf(rows, row, rows, view)
    const last = sightOf(rows, row, end, view)
    expect(last.first + last.count).toBe(rows)
    expect(sightOf(rows, row, 0, view).first).toBe(0)
    expect(last.height).toBeLessThanOrEqual(heightMost)
    expect(last.top + last.count * row).toBeCloseTo(Math.max(last.height, Math.min(rows * row, view)), 3)
  })
  it('is the row that was wanted, however long the list', () => {
    for (const rows of [1000, 5_000_000]) {
      const sight = sightOf(rows, 20, scrollTopOf(rows, 20, Math.floor(rows / 3), 600), 600)
      expect(sight.first + 10).toBe(Math.floor(rows / 3))
    }
  })
})

describe('a search', () => {
  it('finds in any case, without colours, and marks the pieces', async () => {
    const buffer = bufferOf([
      [1, 'one Error'],
      [1, 'er\x1b[31mror'],
      [1, 'fine'],
    ])
    let lines: number[] = []
    await find(buffer, 'ERROR', (found) => (lines = found.lines), new AbortController().signal)
    expect(lines).toEqual([0, 1])
    expect(pieces('an Error, errors', 'error')).toEqual([
      { text: 'an ', hit: false },
      { text: 'Error', hit: true },
      { text: ', ', hit: false },
      { text: 'error', hit: true },
      { text: 's', hit: false },
    ])
    expect(pieces('İx', 'x')).toEqual([{ text: 'İx', hit: false }])
  })
})

it.each(['#s3-L120-L134', '#s3-L120', '#L7'])('the place %s is read as it is written', (hash) =>
  expect(writePlace(parsePlace(hash)!)).toBe(hash),
)
it.each(['', '#L0', '#x', '#L1-2'])('%j is no place', (hash) => expect(parsePlace(hash)).toBeUndefined())

describe('reading', () => {
  const answer = (text: string, breaks = false) =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(out) {
          out.enqueue(encode(text))
          if (!breaks) out.close()
        },
        pull(out) {
          if (breaks) out.error(new TypeError('network'))
        },
      }),
    )

  it('goes on at the byte where it was, and ends when the job has', async () => {
    const whole = written([
      [1, 'one'],
      [1, 'two'],
      [1, 'three'],
    ])
    const asked: [object, boolean][] = []
    let turns = 0
    const buffer = new LogBuffer()
    await readLog(
      buffer,
      1_000,
      {
        open: async (begin, follow) => {
          asked.push([begin, follow])
          turns++
          if (turns === 1) return answer(whole.slice(0, 50), true)
          if (turns === 2) throw new TypeError('nobody there')
          return answer(whole.slice('from' in begin ? begin.from : 0, turns === 3 ? 70 : undefined))
        },
        over: () => turns >= 3,
        sleep: async () => {},
      },
      () => {},
      new AbortController().signal,
    )
    expect([0, 1, 2].map((line) => buffer.line(line).text)).toEqual(['one', 'two', 'three'])
    expect(asked).toEqual([
      [{ last: 1_000 }, true],
      [{ from: 50 }, true],
      [{ from: 50 }, true],
      [{ from: 70 }, false],
    ])
  })

  it('begins where the server says that the last of it begins, and goes on from there', async () => {
    const asked: object[] = []
    const whole = written([
      [1, 'one'],
      [2, 'two'],
      [2, 'three'],
    ])
    const second = whole.indexOf('\n') + 1
    const buffer = new LogBuffer()
    await readLog(
      buffer,
      80,
      {
        open: async (begin) => {
          asked.push(begin)
          const from = 'from' in begin ? begin.from : second
          const headers = { 'X-Headrace-First-Byte': String(second), 'X-Headrace-First-Line': '2' }
          return new Response(whole.slice(from, asked.length === 1 ? second + 20 : undefined), { headers })
        },
        over: () => asked.length > 1,
        sleep: async () => {},
      },
      () => {},
      new AbortController().signal,
    )
    expect([buffer.before, buffer.count, buffer.line(0).text, buffer.line(1).text]).toEqual([1, 2, 'two', 'three'])
    expect(asked.slice(0, 2)).toEqual([{ last: 80 }, { from: second + 20 }])
  })
})
