import { expect, it } from 'vitest'
import { runOf } from '../../tests/mounting'
import { mineFirst, stateOf } from './branches'

const failure = { conclusion: 'failure' } as const
const running = { status: 'in_progress', conclusion: null, completed_at: null } as const

it('a branch is as its newest run', () => {
  expect(stateOf([runOf(3), runOf(2, failure)], true).shown?.status).toBe('success')
  expect(stateOf([runOf(3, failure), runOf(2)], true)).toMatchObject({
    shown: { status: 'failure' },
    newest: { id: 3 },
  })
  expect(stateOf([], true).shown).toBeNull()
})

it('the newest run of each workflow counts, and the worst is the branch', () => {
  const other = { workflow_file: '.github/workflows/lint.yml' }
  const state = stateOf([runOf(5, other), runOf(4), runOf(3, { ...other, ...failure }), runOf(2, failure)], true)
  expect(state.shown?.status).toBe('success')
  expect(stateOf([runOf(5), runOf(4, { ...other, ...failure })], true).failed.map((run) => run.id)).toEqual([4])
})

it('one that runs does not hide that the one before it failed; one that passes does', () => {
  expect(stateOf([runOf(3, running), runOf(2, failure)], true).shown?.status).toBe('failure')
  expect(stateOf([runOf(3, running), runOf(2)], true).shown?.status).toBe('running')
  expect(stateOf([runOf(4), runOf(2, failure)], true).failed).toEqual([])
})

it('a run that was cancelled says nothing about the branch', () => {
  expect(stateOf([runOf(3, { conclusion: 'cancelled' }), runOf(2, failure)], true).failed.map((run) => run.id)).toEqual(
    [2],
  )
})

it('mine stand first, then the newest', () => {
  const runs = [runOf(3, { actor: 'bob' }), runOf(2, { actor: 'alice' }), runOf(4, { actor: 'bob' })]
  expect(mineFirst(runs, 'alice').map((run) => run.id)).toEqual([2, 4, 3])
})
