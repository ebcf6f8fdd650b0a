import { describe, expect, it } from 'vitest'
import type { Repository, Run } from '@/api/types'
import { breaking, demo, progress, type Seen } from './tries'

const run = (id: number, actor: string, conclusion: Run['conclusion']) =>
  ({ id, actor, status: conclusion ? 'completed' : 'in_progress', conclusion }) as Run
const nowhere: Seen = { page: 'runs', run: '', past: false }

describe('what a newcomer has tried', () => {
  it("is nothing while there are the demo's own runs alone", () => {
    expect(progress({}, [run(2, demo.actor, 'success')], nowhere)).toEqual({})
  })
  it('is a push, once somebody else has a run', () => {
    expect(progress({}, [run(3, 'admin', null)], nowhere)).toEqual({ break: true })
  })
  it('is the failing test, once a page of the run that failed was opened', () => {
    const runs = [run(3, 'admin', 'failure'), run(2, demo.actor, 'success')]
    expect(progress({}, runs, { page: 'run', run: '2', past: false }).find).toBeUndefined()
    expect(progress({}, runs, { page: 'event', run: '3', past: false }).find).toBeUndefined()
    expect(progress({}, runs, { page: 'runTests', run: '3', past: false }).find).toBe(true)
  })
  it('is why and an earlier moment, wherever they are looked at', () => {
    expect(progress({}, [], { page: 'event', run: '', past: true })).toEqual({ why: true, past: true })
  })
  it('stays done', () => {
    expect(progress({ break: true, past: true }, [], nowhere)).toEqual({ break: true, past: true })
  })
})

describe('the commands that break a test', () => {
  const repository = { name: 'shop', clone_url: 'http://127.0.0.1:8080/demo/shop.git' } as Repository
  it('clone with the token, and fail on no missing name', () => {
    const text = breaking(repository, 'admin', 'hr_x')
    expect(text).toContain('git clone http://admin:hr_x@127.0.0.1:8080/demo/shop.git && cd shop\n')
    expect(text).toContain('-c user.name=admin -c user.email=admin@localhost commit')
    expect(text.endsWith('\ngit push')).toBe(true)
  })
})
