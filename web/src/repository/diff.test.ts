import { describe, expect, it } from 'vitest'
import { pairsOf, rowsOf } from './diff'

const patch = `diff --git a/total.cc b/total.cc
--- a/total.cc
+++ b/total.cc
@@ -41,3 +41,4 @@ Money total() {
 Money total(const Cart& cart) {
-  return sum(cart) / 100;
+  return round_half_up(sum(cart), 2);
+  // done
 }
@@ -60 +61 @@
---- no head
++++ no head
\\ No newline at end of file
`
const rows = rowsOf(patch)

describe('a unified patch', () => {
  it('has rows with the numbers of both sides', () => {
    expect(rows.map(({ kind, old, new: added, text }) => [kind, old, added, text])).toEqual([
      ['hunk', undefined, undefined, '@@ -41,3 +41,4 @@ Money total() {'],
      ['same', 41, 41, 'Money total(const Cart& cart) {'],
      ['removed', 42, undefined, '  return sum(cart) / 100;'],
      ['added', undefined, 42, '  return round_half_up(sum(cart), 2);'],
      ['added', undefined, 43, '  // done'],
      ['same', 43, 44, '}'],
      ['hunk', undefined, undefined, '@@ -60 +61 @@'],
      ['removed', 60, undefined, '--- no head'],
      ['added', undefined, 61, '+++ no head'],
      ['note', undefined, undefined, 'No newline at end of file'],
    ])
  })

  it('marks what differs within lines that replace one another', () => {
    const [removed, added, more] = rows.slice(2, 5)
    const part = (one: (typeof rows)[number]) => one.changed && one.text.slice(...one.changed)
    expect([part(removed!), part(added!), part(more!)]).toEqual([
      'sum(cart) / 100',
      'round_half_up(sum(cart), 2)',
      undefined,
    ])
  })

  it('stands in two columns with what was replaced beside what replaces it', () => {
    const sides = pairsOf(rows).map(({ left, right }) => [left?.text, right?.text])
    expect(sides.slice(2, 4)).toEqual([
      ['  return sum(cart) / 100;', '  return round_half_up(sum(cart), 2);'],
      [undefined, '  // done'],
    ])
    expect(sides.at(-1)).toEqual([undefined, 'No newline at end of file'])
  })

  it('of nothing is nothing', () => expect(rowsOf('')).toEqual([]))
})
