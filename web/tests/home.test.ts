// Home: what waits for me, is anything broken?
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { VueWrapper } from '@vue/test-utils'
import App from '@/App.vue'
import type { Run } from '@/api/types'
import { useConnection } from '@/stores/connection'
import { mounted, runOf, Server, settled } from './mounting'

let server: Server
let page: VueWrapper
let runs: Run[] = []
const repository = (id: number, full_name: string) => ({
  id,
  full_name,
  owner: full_name.split('/')[0],
  name: full_name.split('/')[1],
  default_branch: 'main',
  clone_url: '',
})
beforeEach(() => {
  server = new Server()
  runs = []
  server.on('GET /api/v1/repositories', () => ({
    repositories: [repository(1, 'team/shop'), repository(2, 'team/hello')],
    next: null,
  }))
  server.on('GET /api/v1/runs', ({ query }) => ({
    runs: runs.filter(
      (run) =>
        (!query.get('repository') || run.repository === query.get('repository')) &&
        (query.get('result') !== 'running' || run.status === 'in_progress') &&
        (query.get('result') !== 'waiting' || run.conclusion === 'action_required'),
    ),
    next: null,
  }))
})
afterEach(() => {
  useConnection().end()
  page.unmount()
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})
const open = async (path = '/') => {
  const opened = await mounted(App, path)
  page = opened.page
  await settled()
  return opened
}
const head = () => page.find('header.head').text().replace(/\s+/g, ' ')
const section = (label: string) => page.find(`table[aria-label="${label}"]`)
const numbers = (label: string) =>
  section(label)
    .findAll('tbody .id')
    .map((cell) => cell.text())

it('says in one line that nothing waits and nothing is broken', async () => {
  runs = [runOf(2), runOf(1, { repository: 'team/hello' })]
  await open()
  expect(head()).toContain('Nothing waits for you, nothing is broken')
  expect(page.findAll('.table tbody tr').map((row) => row.text())).toEqual([
    expect.stringContaining('Passed'),
    expect.stringContaining('Passed'),
  ])
  expect(section('Failed on default branches').exists()).toBe(false)
})

it('shows what failed on default branches, mine first, what waits and what runs', async () => {
  runs = [
    runOf(9, { status: 'in_progress', conclusion: null, completed_at: null, branch: 'topic' }),
    runOf(8, { conclusion: 'action_required', branch: 'topic' }),
    runOf(7, { repository: 'team/hello', conclusion: 'failure', actor: 'bob' }),
    runOf(6, { conclusion: 'failure', actor: 'alice' }),
  ]
  runs = runs.map((run) => ({ ...run, branch: run.id < 8 ? 'main' : 'topic' }))
  server.on('GET /api/v1/status', () => ({
    version: '0.1.0',
    log: { first: 1, durable: 100, segments: 1, bytes: 1, stopped: null },
    projections: [],
    runners: [],
    bus: { dead_letters: 3, stalled: 0, paused: 0 },
  }))
  await open()
  await settled()
  expect(head()).toContain('2 repositories are broken')
  expect(head()).toContain('1 run waits for a person')
  expect(head()).toContain('Dead letters: 3')
  expect(head()).toContain('No runner takes jobs')
  expect(numbers('Failed on default branches')).toEqual(['6', '7'])
  expect(numbers('Waits for a person')).toEqual(['8'])
  expect(numbers('Running now')).toEqual(['9'])
})

it('follows a default branch as its runs go on', async () => {
  runs = [runOf(6, { conclusion: 'failure' })]
  await open()
  expect(head()).toContain('1 repository is broken')
  server.say({
    offset: 101,
    id: 'e101',
    type: 'dev.cdevents.pipelinerun.queued.0.3.0',
    subject: 'uuid-7',
    time: '2026-11-23T12:01:00Z',
    data: {
      subject: { content: { pipelineName: 'CI' } },
      customData: {
        id: 7,
        repository: 'team/shop',
        branch: 'main',
        title: 'mended',
        attempt: 1,
        workflow_file: '.github/workflows/ci.yml',
      },
    },
  })
  await settled()
  expect(head()).toContain('1 repository is broken')
  server.say({
    offset: 102,
    id: 'e102',
    type: 'dev.cdevents.pipelinerun.finished.0.3.0',
    subject: 'uuid-7',
    time: '2026-11-23T12:02:00Z',
    data: { subject: { content: {} }, customData: { conclusion: 'success', attempt: 1 } },
  })
  await settled()
  expect(head()).not.toContain('broken |')
  expect(head()).not.toContain('1 repository is broken')
  expect(page.find('.table tbody').text()).toContain('Passed')
})

it('of an earlier moment asks for it everywhere, and says nothing of the platform now', async () => {
  runs = [runOf(6)]
  server.on('GET /api/v1/status', () => ({
    log: { first: 1, durable: 100, bytes: 1, stopped: null },
    projections: [],
    runners: [],
    bus: { dead_letters: 3, stalled: 0, paused: 0 },
  }))
  await open('/?at=50')
  const asked = server.askedFor('GET /api/v1/runs')
  expect(asked.length).toBeGreaterThan(0)
  expect(asked.map((one) => one.query.get('at'))).toEqual(asked.map(() => '50'))
  expect(head()).not.toContain('Dead letters')
})

it('without a repository gives the commands that make the first one', async () => {
  server.on('GET /api/v1/repositories', () => ({ repositories: [], next: null }))
  await open()
  expect(page.find('main').text()).toContain('No repositories yet')
  expect(page.find('main').text()).toContain('headrace repo create alice/hello')
  page.unmount()
  document.body.replaceChildren()
  await open('/?at=3')
  expect(page.find('main').text()).toContain('No repositories then')
  expect(page.find('main').text()).not.toContain('headrace repo create')
})
