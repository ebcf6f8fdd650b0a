// The pages of a repository, before a server that answers as told: ordinary ones, and what is hard about repositories.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VueWrapper } from '@vue/test-utils'
import App from '@/App.vue'
import { useConnection } from '@/stores/connection'
import { mounted, runOf, Server, settled } from './mounting'

const home = '/api/v1/repositories/team/shop'
const tip = '3fa91c07be12345678901234567890123456789a'
const other = 'b'.repeat(40)
const shop = {
  id: 1,
  full_name: 'team/shop',
  owner: 'team',
  name: 'shop',
  default_branch: 'main',
  clone_url: 'http://headrace.test/team/shop.git',
  created: 40,
}
const commitOf = (commit: string, message = 'cart: round half up\n', more: object = {}) => ({
  commit,
  tree: 't',
  parents: [other],
  author: { name: 'Ada', email: 'ada@example.org', date: '2026-11-23T12:00:00Z' },
  committer: { name: 'Ada', email: 'ada@example.org', date: '2026-11-23T12:00:00Z' },
  message,
  ...more,
})
const file = (name: string, more: object = {}) => ({ name, kind: 'file', id: 'i', size: 12, ...more })
const text = (body: string, size = body.length) =>
  new Response(body, { headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Headrace-Size': String(size) } })

let server: Server
let page: VueWrapper
let refs: { ref: string; commit: string; tip?: object | null }[]
let entries: object[]
let files: Map<string, () => Response>

beforeEach(() => {
  server = new Server()
  refs = [
    { ref: 'refs/heads/feature/x', commit: other },
    { ref: 'refs/heads/main', commit: tip },
    { ref: 'refs/tags/v1', commit: other },
  ]
  entries = [file('cart.cc'), file('src', { kind: 'tree', size: null }), file('README.md')]
  files = new Map([
    ['README.md', () => text('# Shop\n\n[guide](docs/guide.md) ![logo](logo.png)\n')],
    ['cart.cc', () => text('int main() {\n  return 0;\n}\n')],
  ])
  server.on(`GET ${home}`, () => shop)
  server.on(`GET ${home}/refs`, () => ({ refs }))
  server.on('GET /api/v1/runs', () => ({ runs: [runOf(412), runOf(411)], next: null }))
  server.on(`GET ${home}/commits`, () => ({ commits: [commitOf(tip)], next: null }))
  for (const commit of [tip, other]) {
    server.on(`GET ${home}/tree/${commit}`, () => ({ entries }))
    server.on(`GET ${home}/blob/${commit}`, ({ query }) => {
      const found = files.get(query.get('path')!)
      if (found) return found()
      return new Response('{"error":{"code":"not_found","message":"There is no file."}}', { status: 404 })
    })
  }
})
afterEach(() => {
  useConnection().end()
  page.unmount()
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})
// What is loaded when it is first needed takes its time.
const comes = (look: () => unknown) => vi.waitFor(look, 20_000)
const open = async (path: string) => {
  const opened = await mounted(App, path)
  page = opened.page
  return opened
}
const said = () => page.text().replace(/\s+/g, ' ')
const link = (words: string) => page.findAll('main a').find((one) => one.text().includes(words))!
const refMoved = (offset: number) => ({
  offset,
  id: `e${offset}`,
  type: 'dev.cdeventsx.headrace-ref.updated.0.1.0',
  subject: 'refs/heads/main',
  time: '2026-11-23T12:01:00Z',
  data: { subject: { id: 'refs/heads/main', content: { repository: 'team/shop' } } },
})

describe('the page of a repository', () => {
  it('answers first what it is, how its default branch is, and how one clones', async () => {
    await open('/team/shop')
    expect(page.find('h1').text()).toBe('team/shop')
    expect(page.find('.head .badge').text()).toBe('Passed')
    expect(page.find('.answer').text()).toBe('main is healthy: CI passed on its latest commit (run 412)')
    expect(link('run 412').attributes('href')).toBe('/team/shop/runs/412')
    expect(said()).toContain('http://headrace.test/team/shop.git')
    expect(page.findAll('.bars a')).toHaveLength(2)
    expect(page.findAll('.files .name').map((one) => one.text())).toEqual(['src', 'README.md', 'cart.cc'])
    expect(link('src').attributes('href')).toBe('/team/shop/tree/main/src')
    await comes(() => expect(page.find('.readme h2 + *, .readme .markdown h1').exists()).toBe(true))
    await comes(() => expect(link('guide').attributes('href')).toBe('/team/shop/blob/main/docs/guide.md'))
    expect(page.find('.readme img').attributes('src')).toBe(`${home}/raw/${tip}?path=logo.png`)
    expect(document.title).toBe('team/shop · Headrace')
  })

  it('tells of each entry what changed it last, once the entries are there', async () => {
    const last_change = { commit: other, title: 'cart: \u202efirst', author: 'Ada', date: '2026-11-23T10:00:00Z' }
    server.on(`GET ${home}/tree/${tip}`, ({ query }) =>
      query.get('commits') === 'true'
        ? {
            entries: entries.map((one) => ({
              ...one,
              last_change: (one as { name: string }).name === 'src' ? null : last_change,
            })),
          }
        : { entries },
    )
    await open('/team/shop')
    await comes(() => expect(page.findAll('.files .change')).toHaveLength(2)) // what lies too far back is not known
    expect(page.find('.files .change').text()).toBe('cart: \\u202efirst')
    expect(page.find('.files .when').text()).not.toBe('')
  })

  it('says that a branch is broken, and by which run', async () => {
    server.on('GET /api/v1/runs', () => ({ runs: [runOf(412, { conclusion: 'timed_out' })], next: null }))
    await open('/team/shop')
    expect(page.find('.answer').text()).toBe('main is broken: CI did not pass on its latest commit (run 412)')
  })

  it('that is empty tells the exact commands, and shows its first push by itself', async () => {
    refs = []
    await open('/team/shop')
    expect(said()).toContain('Nothing was pushed yet')
    expect(said()).toContain('git push -u origin main')
    expect(said()).toContain("git config --global credential.http://headrace.test.helper '!headrace git-credential'")
    refs = [{ ref: 'refs/heads/main', commit: tip }]
    server.say(refMoved(101))
    await comes(() => expect(page.findAll('.files .name')).toHaveLength(3))
  })

  it('does not move under a reader: a push waits behind a bar', async () => {
    await open('/team/shop')
    refs = [{ ref: 'refs/heads/main', commit: other }]
    server.say(refMoved(101))
    await comes(() => expect(page.find('.moved').exists()).toBe(true))
    expect(page.find('.head .facts').text()).toContain(tip.slice(0, 10))
    await page.find('.moved').trigger('click')
    await settled()
    expect(page.find('.head .facts').text()).toContain(other.slice(0, 10))
    expect(page.find('.moved').exists()).toBe(false)
  })

  it('that one may not see says so', async () => {
    server.refuse(`GET ${home}`, 403, 'denied', 'bob may not read team/shop.')
    await open('/team/shop')
    expect(said()).toContain('You may not see team/shop')
    expect(said()).toContain('bob may not read team/shop.')
  })

  it('of a moment shows its refs of then, and asks git by commit', async () => {
    server.on(`GET ${home}/refs`, ({ query }) => ({
      refs: [{ ref: 'refs/heads/main', commit: query.get('at') === '60' ? other : tip }],
    }))
    await open('/team/shop?at=60')
    expect(server.askedFor(`GET ${home}/tree/${other}`)).not.toEqual([])
    expect(server.askedFor(`GET ${home}/tree/${tip}`)).toEqual([])
    const links = page.findAll('a[href^="/"]').map((one) => one.attributes('href')!)
    expect(links.filter((href) => !href.includes('at=60') && !href.startsWith('/api/'))).toEqual([])
  })

  it('before it began says when it did, and leads there', async () => {
    server.on(`GET ${home}`, ({ query }) =>
      Number(query.get('at') ?? 100) >= 40
        ? shop
        : new Response('{"error":{"code":"not_found","message":"There is no repository."}}', { status: 404 }),
    )
    server.on('GET /api/v1/events', () => ({ events: [{ offset: 40, time: '2026-11-03T12:00:30' }], next: null }))
    const { router } = await open('/team/shop?at=12')
    expect(page.find('.before h2').text()).toBe('team/shop did not exist yet; created 3 Nov 12:00:30')
    await page.find('.before button').trigger('click')
    await settled()
    expect(router.currentRoute.value.query.at).toBe('40')
    expect(page.findAll('.files .name')).toHaveLength(3)
  })
})

describe('the sections', () => {
  it('show how default branches are, and follow what happens', async () => {
    const ran = { id: 412, commit: tip, workflow_file: 'ci.yml', status: 'completed', conclusion: 'success' }
    const list = (runs: object[]) =>
      server.on('GET /api/v1/repositories', () => ({ repositories: [{ ...shop, runs }], next: null }))
    list([ran, { ...ran, id: 411, workflow_file: 'nightly.yml', conclusion: 'failure', commit: other }])
    await open('/runs')
    expect(server.askedFor('GET /api/v1/repositories')[0]!.query.get('runs')).toBe('true')
    const section = () => page.find('.repositories a')
    expect(section().attributes('href')).toBe('/team/shop')
    expect(section().find('[role=img]').attributes('aria-label')).toBe('Passed')
    list([{ ...ran, id: 413, conclusion: 'failure', commit: other }, ran])
    server.say({
      ...refMoved(101),
      type: 'dev.cdevents.pipelinerun.finished.0.3.0',
      data: { subject: { content: {} }, customData: { repository: 'team/shop' } },
    })
    await comes(() => expect(section().find('[role=img]').attributes('aria-label')).toBe('Failed'))
  })
})

describe('addresses with names of branches', () => {
  it('end the name where the longest known one ends', async () => {
    await open('/team/shop/tree/feature/x/src')
    expect(server.askedFor(`GET ${home}/tree/${other}`)[0]!.query.get('path')).toBe('src')
    expect(page.find('.tools button').text()).toBe('feature/x')
    expect(page.find('h1').text()).toBe('src')
  })

  it('that nothing is called say so', async () => {
    await open('/team/shop/tree/nothing/src')
    expect(said()).toContain('There is no branch, tag or commit that nothing/src begins with')
    expect(link('See the branches').attributes('href')).toBe('/team/shop/branches')
  })

  it('lead on at the same path when another branch is chosen by keys', async () => {
    const { router } = await open('/team/shop/tree/feature/x/src')
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'b', bubbles: true }))
    await settled()
    const field = page.find('dialog [role=combobox]')
    await field.setValue('v')
    expect(page.findAll('dialog [role=option]').map((one) => one.text())).toEqual(['v1tag'])
    await field.trigger('keydown', { key: 'Enter' })
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/team/shop/tree/v1/src')
  })

  it('of a folder lead to the file that it is, and the other way round', async () => {
    server.refuse(`GET ${home}/tree/${tip}`, 404, 'not_found', 'There is no folder.')
    const { router } = await open('/team/shop/tree/main/cart.cc')
    await comes(() => expect(router.currentRoute.value.fullPath).toBe('/team/shop/blob/main/cart.cc'))
    server.on(`GET ${home}/tree/${tip}`, () => ({ entries }))
    await router.push('/team/shop/blob/main/src')
    await comes(() => expect(router.currentRoute.value.fullPath).toBe('/team/shop/tree/main/src'))
  })
})

describe('a file', () => {
  it('has numbered lines that can be named, and colours', async () => {
    const { router } = await open('/team/shop/blob/main/cart.cc#L2')
    expect(page.findAll('.code .line')).toHaveLength(3)
    expect(page.findAll('.line.marked').map((one) => one.attributes('id'))).toEqual(['L2'])
    await page.findAll('.line .no')[2]!.trigger('click', { shiftKey: true })
    await settled()
    expect(router.currentRoute.value.hash).toBe('#L2-L3')
    expect(page.findAll('.line.marked')).toHaveLength(2)
    await comes(() => expect(page.find('.code .code-keyword').text()).toBe('return'))
    expect(page.findAll('.code .line').map((one) => one.find('code').element.textContent)).toEqual([
      'int main() {',
      '  return 0;',
      '}',
    ])
    expect(link('Raw').attributes('href')).toBe(`${home}/raw/${tip}?path=cart.cc`)
    expect(link('Permanent link').attributes('href')).toBe(`/team/shop/blob/${tip}/cart.cc#L2-L3`)
  })

  it('of 50 MB shows its beginning, says how much that is, and gives the whole', async () => {
    files.set('big.txt', () => text('x\n'.repeat(512 * 1024), 50 << 20))
    await open('/team/shop/blob/main/big.txt')
    expect(page.find('.cut').text()).toContain('You see the first 1.0 MiB of 50.0 MiB.')
    expect(page.find('.cut a').attributes('href')).toBe(`${home}/raw/${tip}?path=big.txt&download=true`)
    expect(page.findAll('.code .line').length).toBeLessThanOrEqual(200)
  })

  it('with one line of a million characters shows the beginning of it', async () => {
    files.set('min.js', () => text('x'.repeat(1_000_000)))
    await open('/team/shop/blob/main/min.js')
    expect(said()).toContain('990,000 more characters in this line')
  })

  it('that is binary is offered, a picture is shown', async () => {
    const binary = () => new Response('\0', { headers: { 'Content-Type': 'application/octet-stream' } })
    files.set('a.out', binary).set('logo.png', binary)
    const { router } = await open('/team/shop/blob/main/a.out')
    expect(said()).toContain('A binary file')
    expect(page.find('.code').exists()).toBe(false)
    await router.push('/team/shop/blob/main/logo.png')
    await settled()
    expect(page.find('.picture img').attributes('src')).toBe(`${home}/raw/${tip}?path=logo.png`)
  })

  it('of markdown reads as it is meant, and its lines can be named', async () => {
    const { router } = await open('/team/shop/blob/main/README.md')
    await comes(() => expect(page.find('.read .markdown a').exists()).toBe(true))
    await router.push('/team/shop/blob/main/README.md?plain=1#L1')
    await settled()
    expect(page.find('.code .line code').text()).toBe('# Shop')
  })

  it('with a name full of markup and control characters is shown as it is, and found', async () => {
    const name = '<img src=x onerror=alert(1)>\u0001\u202e\n%23#?.txt'
    entries = [file(name), file('na\ufffdme')]
    files.set(name, () => text('odd\n<script>alert(1)</script>\u0007\u202e'))
    const { router } = await open('/team/shop')
    const shown = '<img src=x onerror=alert(1)>\\x01\\u202e\\x0a%23#?.txt'
    expect(page.findAll('.files .name').map((one) => one.text())).toEqual([shown, 'na\ufffdme'])
    expect(page.findAll('.files a')).toHaveLength(1)
    expect(said()).toContain('The name is no UTF-8')
    await router.push(page.find('.files a').attributes('href')!)
    await settled()
    expect(server.askedFor(`GET ${home}/blob/${tip}`).at(-1)!.query.get('path')).toBe(name)
    expect(page.find('h1').text()).toBe(shown)
    expect(page.findAll('.code code').map((one) => one.text())).toEqual([
      'odd',
      '<script>alert(1)</script>\\x07\\u202e',
    ])
    expect(page.find('main script, main img').exists()).toBe(false)
  })
})

describe('commits', () => {
  it('are listed with how they are, older ones on demand', async () => {
    server.on(`GET ${home}/commits`, ({ query }) =>
      query.get('skip') === '50'
        ? { commits: [commitOf(other, '')], next: null }
        : { commits: [commitOf(tip)], next: 50 },
    )
    await open('/team/shop/commits/main?path=cart.cc')
    expect(server.askedFor(`GET ${home}/commits`)[0]!.query.get('path')).toBe('cart.cc')
    expect(page.find('li [role=img]').attributes('aria-label')).toBe('Passed')
    await page
      .findAll('button')
      .find((one) => one.text() === 'Load older')!
      .trigger('click')
    await settled()
    expect(page.findAll('li .title').map((one) => one.text())).toEqual(['cart: round half up', 'No message'])
  })

  const patch = '--- a/cart.cc\n+++ b/cart.cc\n@@ -1,2 +1,2 @@\n int main() {\n-  return 0;\n+  return 1;\n'
  const changed = (name: string, more: object = {}) => ({
    status: 'modified',
    old_path: name,
    new_path: name,
    additions: 1,
    deletions: 1,
    binary: false,
    cut: false,
    patch,
    ...more,
  })
  const commit = (files: object[], more: object = {}) => ({
    ...commitOf(tip, 'cart: <b>round</b>\n\nBecause of \u202e halves.\n'),
    diff: { files, files_total: files.length, additions: 1, deletions: 1, truncated: false, ...more },
  })

  it('show their message, people, parents, runs and changes, below or beside one another', async () => {
    server.on(`GET ${home}/commits/${tip}`, () => commit([changed('cart.cc')]))
    const { router } = await open(`/team/shop/commit/${tip}`)
    expect(page.find('h1').text()).toBe('cart: <b>round</b>')
    expect(page.find('.message').text()).toBe('Because of \\u202e halves.')
    expect(said()).toContain('Ada <ada@example.org>')
    expect(link(other.slice(0, 10)).attributes('href')).toBe(`/team/shop/commit/${other}`)
    expect(page.findAll('table .row-link').map((one) => one.text())).toEqual(['commit 412', 'commit 411'])
    expect(page.findAll('.file tr.added .code').map((one) => one.text())).toEqual(['+added  return 1;'])
    expect(page.find('.file tr.added mark').text()).toBe('1')
    await page
      .findAll('button')
      .find((one) => one.text() === 'Side by side')!
      .trigger('click')
    await settled()
    expect(router.currentRoute.value.query.view).toBe('split')
    expect(page.findAll('.file td.code.removed, .file td.code.added')).toHaveLength(2)
    await page.find('.fold').trigger('click')
    expect(page.find('.file table').exists()).toBe(false)
  })

  it('of 5,000 files are a list first; what was left out comes when it is opened', async () => {
    const many = Array.from({ length: 5_000 }, (_, n) => changed(`many/f${n}`, { cut: true, patch: '' }))
    server.on(`GET ${home}/commits/${tip}`, ({ query }) =>
      commit(query.get('path') ? [changed(query.get('path')!)] : many, { files_total: 5_001 }),
    )
    await open(`/team/shop/commit/${tip}`)
    expect(said()).toContain('5,001 files changed')
    expect(said()).toContain('The first 5,000 of 5,001 changed files are listed.')
    expect(page.findAll('.file').length).toBeLessThanOrEqual(300)
    expect(page.find('.file table').exists()).toBe(false)
    await page.find('input').setValue('f4999')
    expect(page.findAll('.file')).toHaveLength(1)
    await page.find('.fold').trigger('click')
    await settled()
    expect(server.askedFor(`GET ${home}/commits/${tip}`).at(-1)!.query.get('path')).toBe('many/f4999')
    expect(page.findAll('.file tr.added')).toHaveLength(1)
  })

  it('that is not there says so', async () => {
    server.refuse(`GET ${home}/commits/abcdef0`, 404, 'not_found', "'abcdef0' is no commit.")
    await open('/team/shop/commit/abcdef0')
    expect(said()).toContain('Could not find commit abcdef0, or you may not see it')
  })
})

describe('branches and tags', () => {
  it('of 500 are listed, the default one first, and found by name', async () => {
    refs = Array.from({ length: 500 }, (_, n) => ({
      ref: `refs/heads/b/${n}`,
      commit: other,
      tip: { commit: other, title: `work ${n}`, author: 'Ada', date: new Date(1_700_000_000_000 + n).toISOString() },
    }))
    refs.push({ ref: 'refs/heads/main', commit: tip, tip: null })
    await open('/team/shop/branches')
    expect(server.askedFor(`GET ${home}/refs`).at(-1)!.query.get('commits')).toBe('true')
    const names = () => page.findAll('li .ref').map((one) => one.text())
    expect(names().slice(0, 3)).toEqual(['main', 'b/499', 'b/498'])
    expect(names().length).toBeLessThanOrEqual(100)
    expect(said()).toContain('501 of 501')
    await page.find('[role=search] input').setValue('b/7')
    expect(names()).toContain('b/77')
    expect(link('b/77').attributes('href')).toBe('/team/shop/tree/b/77')
  })

  it('that are none tell how one comes', async () => {
    refs = [{ ref: 'refs/heads/main', commit: tip }]
    await open('/team/shop/tags')
    expect(said()).toContain('No tags yet')
    expect(said()).toContain('git push origin v1.0.0')
  })
})
