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
      commit: '3fa91c07be',
      status: 'completed',
      conclusion: 'timed_out',
    } as Run
    expect(fits(run, {})).toBe(true)
    expect(
      fits(run, { repo: 'team/hello', branch: 'main', actor: 'alice', event: 'push', result: 'failed', q: 'CENTS ci' }),
    ).toBe(true)
    expect(fits(run, { q: '#12' })).toBe(true)
    for (const other of [
      { repo: 'team/x' },
      { branch: 'x' },
      { actor: 'bob' },
      { event: 'schedule' },
      { result: 'passed' },
      { q: 'euros' },
    ])
      expect(fits(run, other), JSON.stringify(other)).toBe(false)
  })
})
