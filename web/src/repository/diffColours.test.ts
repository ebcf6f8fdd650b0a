import { describe, expect, it } from 'vitest'
import { rowsOf } from './diff'
import { coloursOf, piecesOf } from './diffColours'

const patch = `@@ -1,5 +1,5 @@
 #include "cart.h"
-/* a comment
-   of two lines */
-int total = 3;
+// total
+// in cents
+int total = 12;
 // end
`
const rows = rowsOf(patch)
const roles = (row: (typeof rows)[number], colours: Awaited<ReturnType<typeof coloursOf>>) =>
  piecesOf(row, colours?.get(row)).map((piece) => [piece.text, piece.role, piece.word])

describe('colours of a patch', () => {
  it('read each side as the text that it is', async () => {
    const colours = await coloursOf(rows, 'src/total.cc')
    const rowOf = (text: string) => rows.find((row) => row.text === text)!
    expect(roles(rowOf('   of two lines */'), colours)).toEqual([['   of two lines */', 'comment', false]])
    expect(roles(rowOf('// end'), colours)).toEqual([['// end', 'comment', false]])
    expect(roles(rowOf('#include "cart.h"'), colours)[0]![1]).toBe('keyword')
  })

  it('leave what changed within a line to its own mark', async () => {
    const added = rows.find((row) => row.text === 'int total = 12;')!
    const colours = await coloursOf(rows, 'src/total.cc')
    const pieces = roles(added, colours)
    expect(pieces.map(([text]) => text).join('')).toBe('int total = 12;')
    expect(pieces[0]).toEqual(['int', 'type', false])
    expect(pieces.filter(([, , word]) => word)).toEqual([['12', undefined, true]])
  })

  it('are none where the language is not known, and the marks stay', async () => {
    expect(await coloursOf(rows, 'notes.unknown')).toBeUndefined()
    const added = rows.find((row) => row.text === 'int total = 12;')!
    expect(roles(added, undefined)).toEqual([
      ['int total = ', undefined, false],
      ['12', undefined, true],
      [';', undefined, false],
    ])
  })
})
