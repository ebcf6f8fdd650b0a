import { describe, expect, it } from 'vitest'
import { inside, Refs } from './refs'

const id = (letter: string) => letter.repeat(40)
const refs = new Refs([
  { ref: 'refs/heads/feature/x', commit: id('1'), since: 1 },
  { ref: 'refs/heads/main', commit: id('2'), since: 2 },
  { ref: 'refs/heads/v1', commit: id('3'), since: 3 },
  { ref: `refs/heads/${id('a')}`, commit: id('4'), since: 4 },
  { ref: 'refs/tags/feature/x/y', commit: id('5'), since: 5 },
  { ref: 'refs/tags/v1', commit: id('6'), since: 6 },
])
const place = (text: string) => refs.place(text.split('/'))

describe('where a name ends in an address', () => {
  it.each([
    ['main', 'branch', 'main', id('2'), ''],
    ['main/src/a.cc', 'branch', 'main', id('2'), 'src/a.cc'],
    ['feature/x/src', 'branch', 'feature/x', id('1'), 'src'],
    ['feature/x/y/src', 'tag', 'feature/x/y', id('5'), 'src'],
    ['v1', 'branch', 'v1', id('3'), ''],
    ['refs/tags/v1/src', 'tag', 'v1', id('6'), 'src'],
    ['abcdef0/src', 'commit', 'abcdef0', 'abcdef0', 'src'],
    [`${id('a')}/src`, 'commit', 'aaaaaaaaaa', id('a'), 'src'],
    [`refs/heads/${id('a')}`, 'branch', id('a'), id('4'), ''],
  ])('%s', (text, kind, name, commit, path) => expect(place(text)).toMatchObject({ kind, name, commit, path }))

  it.each(['feature', 'nothing/src', '', 'abcde'])('%s is no name', (text) => expect(place(text)).toBeUndefined())

  it('gives each name a word that leads back to it', () => {
    for (const known of [...refs.branches, ...refs.tags])
      expect(place(known.word), known.row.ref).toMatchObject({ kind: known.kind, commit: known.row.commit })
  })
})

describe('references within a repository', () => {
  it.each([
    ['docs', 'a.md', 'docs/a.md', ''],
    ['docs', './b/c.md#part', 'docs/b/c.md', '#part'],
    ['docs/deep', '../../x.png?raw=true', 'x.png', ''],
    ['docs', '/src/main.cc', 'src/main.cc', ''],
    ['', 'with%20space.md', 'with space.md', ''],
    ['docs', '..', '', ''],
  ])('from %s, %s is %s', (folder, href, path, rest) => expect(inside(folder, href)).toEqual({ path, rest }))

  it.each(['../..', 'https://example.org/x', '//example.org/x', 'javascript:alert(1)', '#part', 'data:x', '%ff'])(
    '%s leads out',
    (href) => expect(inside('docs', href)).toBeUndefined(),
  )
})
