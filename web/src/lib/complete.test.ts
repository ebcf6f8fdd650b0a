import { describe, expect, it } from 'vitest'
import { completionsOf } from './complete'

const values = {
  repo: ['team/shop', 'team/docs'],
  branch: ['main', 'round half up'],
  actor: ['alice'],
  event: ['push'],
  result: ['failed', 'passed'],
  workflow: ['Tests of the shop'],
  commit: [],
}
const shown = (text: string, caret = text.length) => completionsOf(text, caret, values).map((one) => one.shown)

describe('completion of a filter', () => {
  it('offers names, then values', () => {
    expect(shown('')).toEqual(['repo:', 'branch:', 'actor:', 'event:', 'result:', 'workflow:', 'commit:'])
    expect(shown('re')).toEqual(['repo:', 'result:'])
    expect(shown('repo:team/shop re')).toEqual(['result:'])
    expect(shown('branch:')).toEqual(['main', 'round half up'])
    expect(shown('repo:DOC')).toEqual(['team/docs'])
  })
  it('offers nothing where nothing fits', () => {
    for (const text of ['words ', 'branch:main', 'http://x', 'branch:zzz']) expect(shown(text), text).toEqual([])
  })
  it('puts it where it was typed', () => {
    expect(completionsOf('branch:rou cart', 10, values)).toEqual([
      { shown: 'round half up', text: 'branch:"round half up" cart', caret: 23 },
    ])
    expect(completionsOf('res', 3, values)[0]).toEqual({ shown: 'result:', text: 'result:', caret: 7 })
  })
})
