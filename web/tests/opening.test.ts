// The script that opens a page: what it asks for by the address, and what becomes of the answers.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'
import { createMemoryHistory } from 'vue-router'
import { early, forgetEarly, textOf } from '@/api/early'
import { makeRouter } from '@/router'
import { openingPages } from '../build/opening_pages'

const script = readFileSync('build/opening.js', 'utf8')
const pages = openingPages.map(({ path, views, asks }) => ({ path, files: views.map((view) => `/${view}.js`), asks }))
const texts = { en: '/en.js', 'zh-CN': '/zh.js' }

// As it runs at an address; what it asks for.
function open(address: string): { asked: string[]; loaded: string[] } {
  history.replaceState(null, '', address)
  document.head.innerHTML = ''
  const fetched = vi.fn(async (_address: string, _init: RequestInit) => new Response('{}'))
  vi.stubGlobal('fetch', fetched)
  new Function('FIRST', script)({ texts, pages })
  const loaded = [...document.head.querySelectorAll('link')].map((link) => link.getAttribute('href')!)
  for (const [, init] of fetched.mock.calls)
    expect(init).toMatchObject({ credentials: 'same-origin', headers: { 'X-Requested-With': 'headrace-web' } })
  return { asked: fetched.mock.calls.map(([asked]) => asked), loaded }
}

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false }))
  vi.stubGlobal('scrollTo', () => {})
  localStorage.clear()
  localStorage.setItem('headrace.signedIn', 'yes')
})
afterEach(() => {
  vi.unstubAllGlobals()
  forgetEarly()
  history.replaceState(null, '', '/')
})

const frame = ['/api/v1/whoami', '/api/v1/repositories?runs=true']
const shop = '/api/v1/repositories/team/shop'

describe('the script that opens a page', () => {
  it.each([
    ['/runs', ['/api/v1/runs?limit=50'], []],
    ['/events', ['/api/v1/events?order=newest&limit=100'], ['/EventsView.js']],
    [
      '/team/shop',
      [shop, `${shop}/refs`, `${shop}/tree/HEAD`],
      ['/RepositoryView.js', '/repository/RepositoryOverview.js'],
    ],
    [
      '/team/shop/runs/412',
      ['/api/v1/runs/412', '/api/v1/runs/412/tests?limit=200'],
      ['/RunView.js', '/run/RunOverview.js'],
    ],
    ['/team/shop/runs/412/jobs/7', [], ['/RunView.js', '/run/RunJob.js']],
    ['/team/shop/tree/main/src', [shop, `${shop}/refs`], ['/RepositoryView.js', '/repository/RepositoryTree.js']],
    ['/settings/tokens', [], []],
    ['/events/0198', [], []],
  ])('asks at %s for what is shown there', (address, asks, files) => {
    expect(open(address)).toEqual({ asked: [...frame, ...asks], loaded: ['/en.js', ...files] })
  })

  it('asks nothing of the server at the door, nor where the address has a query', () => {
    expect(open('/sign-in?next=/runs').asked).toEqual([])
    expect(open('/runs?at=60')).toEqual({ asked: [], loaded: ['/en.js'] })
    expect(open('/team/shop?at=60')).toMatchObject({ asked: [], loaded: { length: 3 } })
    localStorage.setItem('headrace.signedIn', 'no')
    expect(open('/team/shop')).toMatchObject({ asked: [], loaded: { length: 3 } })
  })

  it('loads the views that the router would', async () => {
    const router = makeRouter(createMemoryHistory())
    const examples = [
      '/events',
      '/team/shop/runs/412',
      '/team/shop/runs/412/jobs/7',
      '/team/shop',
      '/team/shop/tree/main/src',
    ]
    for (const path of [...examples, '/team/shop/blob/main/a.cc']) {
      const views = router.resolve(path).matched.map((record) => String(record.components!.default))
      const table = openingPages.filter((page) => new RegExp(page.path).test(path)).flatMap((page) => page.views)
      expect(table, path).toHaveLength(views.length)
      for (const [index, view] of table.entries()) expect(views[index], path).toContain(`/views/${view}.vue`)
    }
  })
})

describe('an early answer', () => {
  const answer = (response: Response) =>
    (globalThis.headraceEarly = { '/api/v1/runs': response.text().then((text) => ({ response, text })) })

  it('is taken once', async () => {
    answer(new Response('{"runs":[]}'))
    expect(await textOf((await early('/api/v1/runs'))!)).toBe('{"runs":[]}')
    expect(await early('/api/v1/runs')).toBeUndefined()
    expect(await early('/api/v1/status')).toBeUndefined()
  })

  it('that was refused is an answer; one that was lost is asked for again', async () => {
    answer(new Response('', { status: 401 }))
    expect((await early('/api/v1/runs'))!.status).toBe(401)
    answer(new Response('bad gateway', { status: 502 }))
    expect(await early('/api/v1/runs')).toBeUndefined()
    globalThis.headraceEarly = { '/api/v1/runs': Promise.reject(new TypeError('Failed to fetch')) }
    expect(await early('/api/v1/runs')).toBeUndefined()
  })

  it('is for the first page alone', async () => {
    setActivePinia(createPinia())
    const router = makeRouter(createMemoryHistory())
    vi.stubGlobal('fetch', async () => new Response('{"error":{}}', { status: 500 }))
    await router.push('/runs')
    answer(new Response('{}'))
    await router.push('/events')
    expect(await early('/api/v1/runs')).toBeUndefined()
  })
})
