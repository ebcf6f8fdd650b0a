import { describe, expect, it } from 'vitest'
import type { Run } from '@/api/types'
import { fits, parseFilter, writeFilter } from './runFilter'

describe('a filter of runs', () => {
  it.each([
    ['result:failed branch:main', { result: 'failed', branch: 'main' }],
    ['repo:team/hello cart total', { repo: 'team/hello', q: 'cart total' }],
    ['branch:"a b" http://x', { branch: 'a b', q: 'http://x' }],
    ['', {}],
    ['result:', { q: 'result:' }],
  ])('%s', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter)
    expect(parseFilter(writeFilter(filter))).toEqual(filter)
  })

  it('fits by all it names', () => {
    const run = {
      id: 12,
      repository: 'Team/hello',
      branch: 'main',
      actor: 'alice',
      event: 'push',
      title: 'Totals in cents',
      workflow: 'CI',
      workflow_file: '.github/workflows/ci.yml',
      number: 7,
      commit: '3fa91c07be',
      status: 'completed',
      conclusion: 'timed_out',
    } as Run
    expect(fits(run, {})).toBe(true)
    expect(
      fits(run, { repo: 'team/hello', branch: 'main', actor: 'alice', event: 'push', result: 'failed', q: 'CENTS ci' }),
    ).toBe(true)
    for (const q of ['#12', '12', '#7', '7', '3fa9', '3FA91c07', 'team/hello', 'tal'])
      expect(fits(run, { q }), q).toBe(true)
    for (const workflow of ['CI', 'ci.yml', '.github/workflows/ci.yml']) expect(fits(run, { workflow })).toBe(true)
    expect(fits(run, { commit: '3FA91c0' })).toBe(true)
    for (const other of [
      { repo: 'team/x' },
      { branch: 'x' },
      { actor: 'bob' },
      { event: 'schedule' },
      { result: 'passed' },
      { q: 'euros' },
      { q: '#1' },
      { q: 'a91c07' },
      { q: '3fa' },
      { workflow: 'i.yml' },
      { commit: 'a91c07b' },
    ])
      expect(fits(run, other), JSON.stringify(other)).toBe(false)
  })
})
