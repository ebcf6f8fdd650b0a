import { describe, expect, it } from 'vitest'
import type { PlatformEvent, Run } from '@/api/types'
import { RunsProjection } from './runs'

let offset = 100
const said = (word: string, run: string, custom: object = {}): PlatformEvent => ({
  offset: ++offset,
  specversion: '1.0',
  id: `e${offset}`,
  source: '/headrace/pipeline',
  type: `dev.cdevents.pipelinerun.${word}.0.3.0`,
  subject: run,
  time: `2026-11-23T12:00:${String(offset % 60).padStart(2, '0')}Z`,
  data: {
    subject: { id: run, content: { pipelineName: 'CI' } },
    customData: { repository: 'team/hello', branch: 'main', attempt: 1, ...custom },
  },
})
const row = (run: string, more: Partial<Run> = {}) =>
  ({
    run,
    repository: 'team/hello',
    branch: 'main',
    attempt: 1,
    status: 'queued',
    conclusion: null,
    title: '',
    ...more,
  }) as Run

describe('the list of runs', () => {
  it('follows a run from its start to its end', () => {
    const list = new RunsProjection({})
    list.add([row('a')])
    expect(list.apply(said('started', 'a'))).toBe(true)
    expect(list.rows[0]!.status).toBe('in_progress')
    list.apply(said('finished', 'a', { conclusion: 'failure' }))
    expect([list.rows[0]!.status, list.rows[0]!.conclusion]).toEqual(['completed', 'failure'])
  })

  it('keeps new runs aside until they are asked for', () => {
    const list = new RunsProjection({})
    list.add([row('a')])
    list.apply(said('queued', 'b', { id: 7 }))
    list.apply(said('started', 'b'))
    expect(list.rows.map((run) => run.run)).toEqual(['a'])
    expect(list.fresh.map((run) => [run.run, run.id, run.status, run.workflow])).toEqual([
      ['b', 7, 'in_progress', 'CI'],
    ])
    list.showFresh()
    expect(list.rows.map((run) => run.run)).toEqual(['b', 'a'])
  })

  it('applies to a page what was said beyond it while it came', () => {
    const list = new RunsProjection({})
    const began = said('started', 'a')
    const other = said('queued', 'b', { id: 8 })
    expect([list.apply(began), list.apply(other)]).toEqual([false, true])
    list.add([row('a')], 0, [began, other])
    expect(list.rows.map((run) => run.status)).toEqual(['in_progress'])
    expect(list.fresh).toHaveLength(1)
  })

  it('is not told anew what its first page shows', () => {
    const list = new RunsProjection({})
    const old = said('queued', 'old', { id: 1 })
    list.add([row('a')], old.offset)
    expect(list.apply(old)).toBe(false)
    expect(list.fresh).toEqual([])
    expect(list.apply(said('queued', 'new', { id: 2 }))).toBe(true)
  })

  it('skips what it has, by offset', () => {
    const list = new RunsProjection({})
    const queued = said('queued', 'b')
    list.apply(queued)
    expect(list.apply(queued)).toBe(false)
    expect(list.fresh).toHaveLength(1)
  })

  it('is not set back by events that the page already knew of', () => {
    const list = new RunsProjection({})
    list.add([row('a', { status: 'completed', conclusion: 'success', attempt: 2 })])
    expect(list.apply(said('queued', 'a', { attempt: 1 }))).toBe(false)
    expect(list.apply(said('started', 'a', { attempt: 1 }))).toBe(false)
    expect(list.apply(said('finished', 'a', { attempt: 1, conclusion: 'failure' }))).toBe(false)
    expect(list.rows[0]!.conclusion).toBe('success')
    expect(list.apply(said('queued', 'a', { attempt: 3 }))).toBe(true)
    expect([list.rows[0]!.status, list.rows[0]!.attempt]).toEqual(['queued', 3])
  })

  it('takes of what is said what fits its filter, and no run twice', () => {
    const list = new RunsProjection({ branch: 'main', result: 'failed' })
    list.add([row('a', { status: 'completed', conclusion: 'failure' })])
    list.add([row('a', { status: 'completed', conclusion: 'failure' })])
    expect(list.rows.map((run) => run.run)).toEqual(['a'])
    list.apply(said('queued', 'c', { branch: 'other' }))
    expect(list.fresh).toHaveLength(0)
  })
})
