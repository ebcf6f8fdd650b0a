import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VueWrapper } from '@vue/test-utils'
import App from '@/App.vue'
import SignInForm from '@/components/SignInForm.vue'
import { useConnection } from '@/stores/connection'
import { useSession } from '@/stores/session'
import { mounted, runOf, Server, settled } from './mounting'

let server: Server
let page: VueWrapper
beforeEach(() => {
  server = new Server()
})
afterEach(() => {
  useConnection().end()
  page.unmount()
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})
const open = async (path: string) => {
  const opened = await mounted(App, path)
  page = opened.page
  return opened
}
const text = () => page.text().replace(/\s+/g, ' ')
const press = async (key: string, options: KeyboardEventInit = {}) => {
  ;(document.activeElement ?? document.body).dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...options }),
  )
  await settled()
}
const button = (name: string) => page.findAll('button').find((one) => one.text().startsWith(name))!
const queued = (offset: number, id: number, more: object = {}) => ({
  offset,
  id: `e${offset}`,
  type: 'dev.cdevents.pipelinerun.queued.0.3.0',
  subject: `uuid-${id}`,
  time: '2026-11-23T12:01:00Z',
  data: {
    subject: { content: { pipelineName: 'CI' } },
    customData: { id, repository: 'team/shop', branch: 'main', title: `commit ${id}`, attempt: 1, ...more },
  },
})

describe('the list of runs', () => {
  const list = (runs: unknown[], next: string | null = null) => server.on('GET /api/v1/runs', () => ({ runs, next }))

  it('shows its rows, state in words', async () => {
    list([
      runOf(413, { status: 'in_progress', conclusion: null, completed_at: null }),
      runOf(412, { conclusion: 'timed_out' }),
    ])
    await open('/runs')
    expect(page.findAll('tbody tr').map((row) => row.find('.badge').text())).toEqual(['Running', 'Timed out'])
    expect(page.find('tbody a').attributes('href')).toBe('/team/shop/runs/413')
    expect(document.title).toBe('Runs · Headrace')
  })

  it('keeps what is new behind a bar while somebody is in the list, and lets it in by a key', async () => {
    list([runOf(412)])
    await open('/runs')
    ;(page.find('tbody a').element as HTMLElement).focus()
    server.say(queued(101, 413))
    server.say(queued(102, 414))
    await settled()
    expect(text()).toContain('2 new runs')
    expect(page.findAll('tbody tr')).toHaveLength(1)
    await press('.')
    expect(page.findAll('tbody tr').map((row) => row.find('.id').text())).toEqual(['414', '413', '412'])
    expect(document.activeElement?.textContent).toBe('commit 412')
  })

  it('lets it in where nobody is', async () => {
    list([runOf(412)])
    await open('/runs')
    server.say(queued(101, 413))
    await settled()
    expect(page.findAll('tbody tr')).toHaveLength(2)
  })

  it('follows a run that it shows, and dims what no longer fits', async () => {
    list([runOf(412, { status: 'in_progress', conclusion: null })])
    await open('/runs?result=running')
    server.say({ ...queued(101, 412, { conclusion: 'failure' }), type: 'dev.cdevents.pipelinerun.finished.0.3.0' })
    await settled()
    expect(page.find('tbody .badge').text()).toBe('Failed')
    expect(page.find('tbody tr').classes()).toContain('dimmed')
  })

  it('asks by its address and says how far it looked', async () => {
    const answer = {
      runs: [] as unknown[],
      next: '7' as string | null,
      looked_until: '2026-11-03T12:00:00Z' as string | null,
    }
    server.on('GET /api/v1/runs', () => answer)
    const { router } = await open('/runs?repo=team/shop&result=failed&q=cart')
    const [asked] = server.askedFor('GET /api/v1/runs')
    expect(Object.fromEntries(asked!.query)).toEqual({
      repository: 'team/shop',
      result: 'failed',
      q: 'cart',
      limit: '50',
    })
    expect(text()).toContain('No run since 3 Nov')
    Object.assign(answer, { runs: [runOf(412)], next: null, looked_until: null })
    await page.find('form input').setValue('branch:main')
    await page.find('form').trigger('submit')
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/runs?branch=main')
    expect(page.findAll('tbody tr')).toHaveLength(1)
  })

  it('completes its filter from what is there', async () => {
    list([runOf(412, { branch: 'round-half-up' })])
    const { router } = await open('/runs')
    const field = page.find('form [role=combobox]')
    await field.setValue('branch:ro')
    expect(page.findAll('form [role=option]').map((option) => option.text())).toEqual(['round-half-up'])
    await field.trigger('keydown', { key: 'ArrowDown' })
    await field.trigger('keydown', { key: 'Tab' })
    expect((field.element as HTMLInputElement).value).toBe('branch:round-half-up ')
    await page.find('form').trigger('submit')
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/runs?branch=round-half-up')
  })

  it('tells how the first run comes about', async () => {
    list([])
    await open('/runs')
    expect(text()).toContain('No runs yet')
    expect(text()).toContain('git push')
  })

  it('says which right is missing', async () => {
    server.refuse('GET /api/v1/runs', 403, 'denied', 'bob may not read runs of team/shop.')
    await open('/runs?repo=team/shop')
    expect(text()).toContain('You may not see the list of runs')
    expect(text()).toContain('bob may not read runs of team/shop.')
  })

  it('asks again by hand, and by itself when the server is back', async () => {
    server.on('GET /api/v1/runs', () => new Response('bad gateway', { status: 502 }))
    await open('/runs')
    expect(text()).toContain('The server does not answer')
    list([runOf(412)])
    await button('Try again').trigger('click')
    await settled()
    expect(page.findAll('tbody tr')).toHaveLength(1)
  })

  it('is there by itself once a server answers that answered nothing at first', async () => {
    const away = () => new Response('bad gateway', { status: 502 })
    const asked = ['GET /api/v1/runs', 'GET /api/v1/whoami', 'GET /api/v1/status', 'GET /api/v1/repositories']
    for (const one of asked) server.on(one, away)
    await open('/runs')
    expect(text()).toContain('The server does not answer')
    await vi.waitFor(() => expect(server.askedFor('GET /api/v1/status').length).toBeGreaterThan(0), 5_000)
    server.healthy()
    list([runOf(412)])
    await vi.waitFor(() => expect(page.findAll('tbody tr')).toHaveLength(1), 8_000)
    expect(server.askedFor('GET /api/v1/events/stream')[0]!.query.get('from')).toBe('101')
  })

  it('of a moment asks for that moment, keeps it on every link and listens to nothing', async () => {
    list([runOf(412)])
    server.on('GET /api/v1/events', (asked) => ({
      events: [{ offset: Number(asked.query.get('from') ?? 60), time: '2026-11-23T12:00:30Z' }],
      next: null,
    }))
    await open('/runs?at=60')
    expect(server.askedFor('GET /api/v1/runs')[0]!.query.get('at')).toBe('60')
    expect(server.askedFor('GET /api/v1/events/stream')).toEqual([])
    expect(text()).toMatch(/You see 23 Nov \d\d:\d\d:30 \(offset 60\)/)
    const links = page.findAll('a[href^="/"]').map((link) => link.attributes('href')!)
    expect(links.filter((link) => !link.includes('at=60'))).toEqual([])
    await press('}')
    expect(server.askedFor('GET /api/v1/runs').at(-1)!.query.get('at')).toBe('61')
    await press('T', { shiftKey: true })
    expect(server.askedFor('GET /api/v1/runs').at(-1)!.query.get('at')).toBeNull()
  })
})

describe('a run', () => {
  const jobs = [
    {
      id: 7,
      job: 'j7',
      key: 'build',
      name: 'build',
      status: 'completed',
      conclusion: 'failure',
      needs: [],
      matrix: null,
      caller: '',
      outputs: {},
      annotations: [
        {
          level: 'error',
          message: '<b>broken</b>',
          title: '',
          file: 'a.cc',
          line: 3,
          end_line: 0,
          column: 0,
          end_column: 0,
          step: 1,
        },
      ],
      environment_url: '',
      summary_bytes: 0,
      attempt: 1,
      runner: 'r',
      reason: 'Step 1 failed.',
      queued_at: '2026-11-23T12:00:00Z',
      started_at: '2026-11-23T12:00:01Z',
      completed_at: '2026-11-23T12:00:30Z',
      steps: [{ number: 1, name: 'Run make', status: 'completed', conclusion: 'failure' }],
    },
  ]
  const report = {
    report: 'r1',
    job: 'j7',
    job_key: 'build',
    attempt: 1,
    step: 1,
    file: 'x.xml',
    cases: 214,
    passed: 213,
    failed: 1,
    errored: 0,
    skipped: 0,
    not_run: 0,
    flaky: 0,
    duration_us: 5,
  }
  const bad = {
    id: 't1',
    suite: 'S',
    class: 'CartTest',
    name: 'total_rounds',
    report: 'r1',
    outcome: 'failed',
    flaky: false,
    before: 'passed',
    duration_us: 5,
    message: 'expected 10.05, got 10.04',
    details: 'why',
    file: 'cart_test.cc',
    line: 88,
  }
  let run = runOf(412)

  beforeEach(() => {
    run = runOf(412, { conclusion: 'failure', jobs: jobs as never })
    server.on('GET /api/v1/runs/412', () => run)
    server.on('GET /api/v1/runs/412/tests', () => ({ reports: [report], tests: [bad], next: null }))
    server.on('GET /api/v1/repositories/team/shop/tests/t1', () => ({
      results: [
        { run: 'uuid-412', job_key: 'build', outcome: 'failed' },
        { run: 'uuid-1', job_key: 'build', outcome: 'failed' },
        { run: 'uuid-1', job_key: 'other', outcome: 'failed' },
        { run: 'uuid-2', job_key: 'build', outcome: 'passed' },
      ],
    }))
  })

  it('answers first what broke', async () => {
    await open('/team/shop/runs/412')
    expect(page.find('.answer').text()).toBe('1 test failed in build, 30 s after the start')
    expect(text()).toContain('Failed tests 1 of 214')
    expect(text()).toContain('CartTest.total_roundsexpected 10.05, got 10.04cart_test.cc:88')
    expect(text()).toContain('also failed in 1 of 2 (50 %) of the last runs on main')
    expect(text()).toContain('<b>broken</b>')
    expect(document.title).toBe('Failed · run 412 · team/shop · Headrace')
    expect(document.activeElement?.tagName).not.toBe('A')
  })

  it('is cancelled by asking: the button says so until the run says it', async () => {
    run = runOf(412, { status: 'in_progress', conclusion: null, completed_at: null })
    server.on('POST /api/v1/runs/412/cancel', () => run)
    await open('/team/shop/runs/412')
    await button('Cancel run').trigger('click')
    await settled()
    expect(server.askedFor('POST /api/v1/runs/412/cancel')).toHaveLength(1)
    expect(button('Cancelling…').attributes('aria-disabled')).toBe('true')
    run = runOf(412, { conclusion: 'cancelled' })
    server.say({ ...queued(101, 412, { conclusion: 'cancelled' }), type: 'dev.cdevents.pipelinerun.finished.0.3.0' })
    await vi.waitFor(() => expect(page.find('.badge').text()).toBe('Cancelled'))
    expect(button('Re-run')).toBeDefined()
  })

  it('says why an act was refused, and offers it again', async () => {
    run = runOf(412, { status: 'in_progress', conclusion: null })
    server.refuse('POST /api/v1/runs/412/cancel', 403, 'denied', 'bob may not cancel runs.')
    await open('/team/shop/runs/412')
    await button('Cancel run').trigger('click')
    await settled()
    expect(text()).toContain('Refused: bob may not cancel runs.')
    expect(button('Cancel run').attributes('aria-disabled')).toBe('false')
  })

  it('cannot be changed in the past', async () => {
    run = runOf(412, { status: 'in_progress', conclusion: null })
    await open('/team/shop/runs/412?at=60')
    await button('Cancel run').trigger('click')
    await settled()
    expect(button('Cancel run').attributes('title')).toBe('Go back to now to change the run')
    expect(server.askedFor('POST /api/v1/runs/412/cancel')).toEqual([])
  })

  it('that is not there, or may not be seen, says so', async () => {
    server.refuse('GET /api/v1/runs/412', 404, 'not_found', 'There is no run with the id 412.')
    await open('/team/shop/runs/412')
    expect(text()).toContain('Could not find run 412, or you may not see it')
  })

  it('is found again by a filter that was saved', async () => {
    server.on('GET /api/v1/runs', () => ({ runs: [run], next: null, looked_until: null }))
    const { router } = await open('/runs?result=failed&branch=main')
    await button('Save view').trigger('click')
    const field = page.find<HTMLInputElement>('.views input')
    expect(field.element.value).toBe('branch:main result:failed')
    await field.setValue('Red main')
    await page.find('.views form').trigger('submit')
    expect(page.find('.view.current').text()).toBe('Red main')
    expect(text()).not.toContain('Save view')
    await router.push('/runs')
    await settled()
    await page.find('.view a').trigger('click')
    await settled()
    expect(router.currentRoute.value.query).toEqual({ result: 'failed', branch: 'main' })
    await page.find('.view button').trigger('click')
    expect(page.find('.view').exists()).toBe(false)
  })

  it('is looked at from within the list by Space, and the next one by j', async () => {
    server.on('GET /api/v1/runs', () => ({ runs: [run, runOf(411)], next: null, looked_until: null }))
    server.on('GET /api/v1/runs/411', () => runOf(411))
    server.on('GET /api/v1/runs/411/tests', () => ({ reports: [], tests: [], next: null }))
    const { router } = await open('/runs')
    await press(' ')
    expect(page.find('.peek').exists()).toBe(false)
    await press('j')
    await press(' ')
    await vi.waitFor(() => expect(page.find('.peek').text()).toContain('1 failed test'))
    expect(page.find('.peek').text()).toContain('CartTest.total_roundsexpected 10.05, got 10.04')
    expect(page.find('.peek .jobs a').attributes('href')).toBe('/team/shop/runs/412/jobs/7')
    expect(document.activeElement?.textContent).toBe('commit 412')
    await press('j')
    await vi.waitFor(() => expect(page.find('.peek h2').text()).toBe('commit 411'))
    await press('Tab')
    expect(document.activeElement?.id).toBe('peek')
    await press('Tab', { shiftKey: true })
    expect(document.activeElement?.textContent).toBe('commit 411')
    await press('Tab')
    await press('Escape')
    expect(page.find('.peek').exists()).toBe(false)
    expect(document.activeElement?.textContent).toBe('commit 411')
    expect(router.currentRoute.value.fullPath).toBe('/runs')
  })

  it('shows by a key what can be done with it, and does none of it', async () => {
    await open('/team/shop/runs/412')
    await press('a')
    await vi.waitFor(() => expect(page.findAll('[role="menuitem"]')).toHaveLength(2))
    expect(server.asked.filter((asked) => asked.method !== 'GET')).toEqual([])
  })

  it('leads to why it happened', async () => {
    const event = { offset: 5, id: 'e5', type: 'dev.cdevents.pipelinerun.queued.0.3.0', time: '2026-11-23T12:00:00Z' }
    server.on('GET /api/v1/events', (asked) =>
      asked.query.has('from') ? { events: [event], next: null } : { events: [], next: 4 },
    )
    server.on('GET /api/v1/events/e5/why', () => ({
      event,
      causes: [],
      effects: [],
      root_found: true,
      truncated: false,
    }))
    const { router } = await open('/team/shop/runs/412')
    await press('w')
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/events/e5'))
    expect(server.askedFor('GET /api/v1/events')[0]!.query.get('filter')).toContain("subject = 'uuid-412'")
  })

  it('says of a job that was skipped that it printed nothing', async () => {
    const skipped = {
      ...jobs[0]!,
      conclusion: 'skipped',
      runner: '',
      reason: 'Its `if` is false.',
      steps: [],
      annotations: [],
    }
    run = runOf(412, { jobs: [skipped] as never })
    server.refuse('GET /api/v1/jobs/j7/log', 404, 'not_found', 'There is no job j7.')
    await open('/team/shop/runs/412/jobs/7')
    expect(text()).toContain('This job printed nothing.')
    expect(text()).toContain('Its `if` is false.')
    expect(text()).not.toContain('There is no job j7.')
  })

  it('shows a job with the log of its failed step open, as text', async () => {
    const time = '2026-11-23T12:00:02.000000Z'
    const log =
      [`${time} 0 Runs here.`, `${time} 1 <script>alert(1)</script>`, `${time} 1 ##[error]broken`].join('\n') + '\n'
    server.on('GET /api/v1/jobs/j7/log', () => new Response(log))
    await open('/team/shop/runs/412/jobs/7')
    await vi.waitFor(() => expect(page.findAll('.view .line')).toHaveLength(2))
    expect(page.findAll('.view .text').map((line) => line.text())).toEqual(['<script>alert(1)</script>', 'broken'])
    expect(page.findAll('.view script')).toHaveLength(0)
    expect(page.findAll('.view .head').map((head) => head.attributes('aria-expanded'))).toContain('false')
    await page.find('.view .no').trigger('click')
    await settled()
    expect(page.find('.view .line').classes()).toContain('marked')
  })
})

describe('events', () => {
  const event = (offset: number) => ({
    offset,
    id: `id-${offset}`,
    type: 'com.example.lit',
    source: '/lamp',
    time: '2026-11-23T12:00:00Z',
  })

  it('are told newest first', async () => {
    server.on('GET /api/v1/events', () => ({ events: [event(100), event(99)], next: null }))
    await open('/events')
    expect(page.findAll('.view .row .offset').map((cell) => cell.text())).toEqual(['100', '99'])
    expect(server.askedFor('GET /api/v1/events').map((asked) => asked.query.get('order'))).toEqual(['newest'])
  })

  it('of the one connection enter at the top, each once, those that came while the page was read among them', async () => {
    let answer: (page: unknown) => void = () => {}
    server.on(
      'GET /api/v1/events',
      () =>
        new Response(
          new ReadableStream({
            start: (out) => {
              answer = (page) => (out.enqueue(new TextEncoder().encode(JSON.stringify(page))), out.close())
            },
          }),
        ),
    )
    await open('/events')
    server.say(event(100))
    server.say(event(101))
    await settled()
    answer({ events: [event(100), event(99)], next: null })
    await settled()
    server.say(event(102))
    await vi.waitFor(() =>
      expect(page.findAll('.view .row .offset').map((cell) => cell.text())).toEqual(['102', '101', '100', '99']),
    )
    expect(server.askedFor('GET /api/v1/events/stream')).toHaveLength(1)
  })

  it('are looked at from within the list by Space', async () => {
    const data = { lamp: 'on' }
    server.on('GET /api/v1/events', () => ({ events: [{ ...event(100), data }, event(99)], next: null }))
    await open('/events')
    await press('j')
    await press(' ')
    await vi.waitFor(() => expect(page.find('.peek').text()).toContain('"lamp": "on"'))
    expect(page.find('.peek header a').attributes('href')).toBe('/events/id-100')
    await page.find('.peek header button').trigger('click')
    expect(page.find('.peek').exists()).toBe(false)
  })

  it('show what is wrong with a filter under its column', async () => {
    server.refuse(
      'GET /api/v1/events',
      422,
      'invalid',
      'The expression cannot be read at column 11: LIKE wants a pattern in quotes.',
    )
    await open('/events?filter=type LIKE source')
    expect(page.find('.caret').element.textContent).toBe(' '.repeat(10) + '^')
    expect(text()).toContain('LIKE wants a pattern in quotes')
    expect(page.find('#cesql').attributes('aria-invalid')).toBe('true')
  })
})

describe('the frame', () => {
  it('has a palette that goes where the words lead', async () => {
    server.on('GET /api/v1/runs', () => ({ runs: [], next: null }))
    server.on('GET /api/v1/repositories', () => ({
      repositories: [{ id: 1, full_name: 'team/shop', owner: 'team', name: 'shop' }],
      next: null,
    }))
    const { router } = await open('/runs')
    await press('k', { ctrlKey: true })
    await vi.waitFor(() => expect(page.find('dialog [role=combobox]').exists()).toBe(true))
    const query = page.find('dialog [role=combobox]')
    await query.setValue('shop')
    expect(page.findAll('dialog [role=option]').map((option) => option.text())).toEqual([
      'Go to team/shop',
      'Runs of team/shop',
      'Search runs for “shop”',
    ])
    await query.trigger('keydown', { key: 'ArrowDown' })
    await query.trigger('keydown', { key: 'ArrowDown' })
    await query.trigger('keydown', { key: 'Enter' })
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/runs?q=shop')
    expect(page.find('dialog [role=combobox]').exists()).toBe(false)
  })

  it('asks who has been signed out to sign in over the page, and then goes on', async () => {
    server.on('GET /api/v1/runs', () => ({ runs: [runOf(412)], next: null }))
    const { router } = await open('/runs')
    server.refuse('GET /api/v1/runs', 401, 'unauthenticated', 'The session has ended.')
    await router.push('/runs?q=commit')
    await settled()
    await vi.waitFor(() => expect(page.find('dialog').exists()).toBe(true))
    expect(router.currentRoute.value.fullPath).toBe('/runs?q=commit')
    server.on('GET /api/v1/runs', () => ({ runs: [runOf(412)], next: null }))
    server.on('POST /api/v1/session', () => ({ actor: 'user:alice', name: 'alice', scopes: [] }))
    await page.find('dialog #proof').setValue('hr_token')
    await page.find('dialog form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/session')[0]!.body).toEqual({ token: 'hr_token' })
    expect(page.find('dialog').exists()).toBe(false)
    expect(page.findAll('tbody tr')).toHaveLength(1)
  })
})

describe('signing in', () => {
  const form = async (props: object = {}) => {
    const opened = await mounted(SignInForm, '/sign-in', props)
    page = opened.page
  }

  it('says what is missing and leads back to the field', async () => {
    await form()
    await page.find('form').trigger('submit')
    await settled()
    expect(page.find('[role=alert]').text()).toBe('Paste the link, its code, or a token.')
    expect(document.activeElement?.id).toBe('proof')
    expect(server.askedFor('POST /api/v1/session')).toEqual([])
  })

  it('takes a link, and the name of the account that it is for', async () => {
    server.on('POST /api/v1/session', () => ({ actor: 'user:alice', name: 'alice', scopes: [] }))
    await form({ code: 'abc' })
    await page.find('#account').setValue('alice')
    await page.find('form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/session')[0]!.body).toEqual({ code: 'abc', user: 'alice' })
    expect(page.emitted('done')).toHaveLength(1)
    expect(useSession().account?.name).toBe('alice')
  })

  it('says what the server says', async () => {
    server.refuse('POST /api/v1/session', 422, 'invalid', 'This link has been used.')
    await form({ code: 'abc' })
    await page.find('form').trigger('submit')
    await settled()
    expect(page.find('[role=alert]').text()).toBe('This link has been used.')
    expect(page.find('#proof').attributes('aria-invalid')).toBe('true')
  })
})
