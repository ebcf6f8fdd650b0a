import { expect, it } from 'vitest'
import type { Run } from '@/api/types'
import { healthOf } from './health'

const run = (id: number, workflow_file: string, conclusion: string | null, commit = 'c') =>
  ({ id, workflow_file, conclusion, commit, status: conclusion ? 'completed' : 'in_progress' }) as Run

it('is the worst of the latest runs of each workflow', () => {
  const health = (...runs: Run[]) => healthOf(runs, 'c')
  expect(health()).toBeUndefined()
  expect(health(run(1, 'a', 'failure', 'other'))).toBeUndefined()
  expect(health(run(2, 'a', 'success'), run(1, 'a', 'failure'))).toMatchObject({
    shown: { status: 'success' },
    workflows: 1,
  })
  expect(health(run(3, 'b', 'success'), run(2, 'a', null))).toMatchObject({
    shown: { status: 'running' },
    run: { id: 2 },
  })
  expect(health(run(3, 'b', null), run(2, 'a', 'timed_out'))).toMatchObject({
    shown: { word: 'timedOut' },
    workflows: 2,
  })
})
