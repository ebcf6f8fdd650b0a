import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { createMemoryHistory } from 'vue-router'
import { reserved } from './reserved'
import { makeRouter } from './router'
import { useSession } from './stores/session'

let status = 200
beforeEach(() => {
  setActivePinia(createPinia())
  status = 200
  vi.stubGlobal('scrollTo', () => {})
  const answer = {
    200: '{"actor":"user:alice","name":"alice","scopes":[]}',
    401: '{"error":{"code":"unauthenticated","message":"no"}}',
  }
  vi.stubGlobal('fetch', async () => new Response(answer[status as 200 | 401], { status }))
})
const arrive = async (path: string) => {
  const router = makeRouter(createMemoryHistory())
  await router.push(path)
  await vi.waitFor(() =>
    expect(useSession().account !== null || status !== 200 || router.currentRoute.value.meta.open).toBe(true),
  )
  return router.currentRoute
}

it.each([
  ['/', 'home', '/'],
  ['/?at=7', 'home', '/?at=7'],
  ['/subscriptions/team/watch', 'subscription', '/subscriptions/team/watch'],
  ['/events/at/81187', 'eventAt', '/events/at/81187'],
  ['/settings?at=7', 'appearance', '/settings/appearance?at=7'],
  ['/runs?repo=team/shop', 'runs', '/runs?repo=team/shop'],
  ['/team/shop', 'repository', '/team/shop'],
  ['/team/shop/runs', 'runs', '/runs?repo=team/shop'],
  ['/team/shop/tree/feature/x/src', 'tree', '/team/shop/tree/feature/x/src'],
  ['/team/shop/blob/main/a%20b%3F%23%25.cc#L3-L4', 'blob', '/team/shop/blob/main/a%20b%3F%23%25.cc#L3-L4'],
  ['/team/shop/commits', 'commits', '/team/shop/commits'],
  ['/team/shop/commit/3fa91c07be', 'commit', '/team/shop/commit/3fa91c07be'],
  ['/team/shop/branches?at=7', 'branches', '/team/shop/branches?at=7'],
  ['/team/shop/runs/412', 'run', '/team/shop/runs/412'],
  ['/team/shop/actions/runs/412?at=7', 'run', '/team/shop/runs/412?at=7'],
  ['/team/shop/runs/412/jobs/3#s3-L120-L134', 'runJob', '/team/shop/runs/412/jobs/3#s3-L120-L134'],
  ['/events/01938a5c-0000-7000-8000-0000000000ff', 'event', '/events/01938a5c-0000-7000-8000-0000000000ff'],
  ['/team/shop/runs/x', 'nowhere', '/team/shop/runs/x'],
])('%s is %s', async (path, name, whole) => {
  const route = (await arrive(path)).value
  expect([route.name, route.fullPath]).toEqual([name, whole])
})

it.each(reserved.map((word) => [word]))('no owner is called %s', async (word) => {
  const own = new Map([
    ['events', ['event', 'nowhere']],
    ['subscriptions', ['subscription', 'subscription']], // whose names may have slashes
  ]).get(word) ?? ['nowhere', 'nowhere']
  expect((await arrive(`/${word}/x`)).value.name).toBe(own[0])
  expect((await arrive(`/${word}/x/runs/1`)).value.name).toBe(own[1])
})

it('leads who is not signed in to the door, and remembers where they wanted to go', async () => {
  status = 401
  const route = await arrive('/team/shop/runs/412?at=7')
  await vi.waitFor(() => expect(route.value.name).toBe('signIn'))
  expect(route.value.query.next).toBe('/team/shop/runs/412?at=7')
})
