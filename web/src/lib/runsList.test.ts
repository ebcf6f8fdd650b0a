import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import type { Run, RunPage } from '@/api/types'
import type { RunFilter } from './runFilter'
import { useRunsList } from './runsList'

const asked: Record<string, unknown>[] = []
let pages: RunPage[] = []
vi.mock('@/api/calls', () => ({
  listRuns: (wanted: object, cursor: string | null, limit: number, at: unknown) => {
    asked.push({ ...wanted, cursor, limit, at })
    return Promise.resolve(pages.shift() ?? { runs: [], next: null, looked_until: null })
  },
}))
vi.mock('@/stores/connection', () => ({ useConnection: () => ({ listen: () => () => undefined }) }))

const row = (run: string) => ({ run, repository: 'team/hello' }) as Run
const settled = async () => {
  for (let i = 0; i < 40; i++) await nextTick()
}

describe('the runs list', () => {
  let scope = effectScope()
  beforeEach(() => {
    asked.length = 0
    scope = effectScope()
  })
  afterEach(() => scope.stop())
  const listed = (filter: RunFilter, given: RunPage[]) => {
    pages = given
    return scope.run(() => useRunsList(ref(filter), ref(undefined)))!
  }

  it('leaves the filter to the server, and asks for one page', async () => {
    const list = listed({ repo: 'team/hello', result: 'failed', q: 'cart' }, [
      { runs: [row('a'), row('b')], next: '7', looked_until: null },
    ])
    await settled()
    expect(asked).toEqual([
      { repository: 'team/hello', result: 'failed', q: 'cart', cursor: null, limit: 50, at: undefined },
    ])
    expect(list.list.value.rows.map((run) => run.run)).toEqual(['a', 'b'])
    expect([list.more.value, list.lookedUntil.value]).toEqual([true, null])
    await list.older()
    expect(asked[1]).toMatchObject({ cursor: '7' })
  })

  it('goes on where the server found little in all it looked at, for a while', async () => {
    const none = (next: number): RunPage => ({
      runs: [],
      next: String(next),
      looked_until: `2026-01-${next}T00:00:00Z`,
    })
    const list = listed({ q: 'needle' }, [31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21].map(none))
    await settled()
    expect(asked).toHaveLength(10)
    expect(list.lookedUntil.value).toBe('2026-01-22T00:00:00Z')
    expect([list.more.value, list.busy.value, list.ready.value]).toEqual([true, false, true])
    pages = [{ runs: [row('a')], next: null, looked_until: null }]
    await list.older()
    expect(list.list.value.rows).toHaveLength(1)
    expect([list.more.value, list.lookedUntil.value]).toEqual([false, null])
  })
})
