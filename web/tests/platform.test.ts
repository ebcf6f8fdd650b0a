// The state of the platform, and what one sets for oneself.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VueWrapper } from '@vue/test-utils'
import App from '@/App.vue'
import type { Projection, Status } from '@/api/types'
import { phaseOf, troublesOf } from '@/lib/platform'
import { useConnection } from '@/stores/connection'
import { usePreferences } from '@/stores/preferences'
import { mounted, Server, settled, subscriptionOf } from './mounting'

let server: Server
let page: VueWrapper | undefined
beforeEach(() => {
  server = new Server()
  localStorage.clear()
})
afterEach(() => {
  if (page) useConnection().end()
  page?.unmount()
  page = undefined
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})
const open = async (path: string) => {
  const opened = await mounted(App, path)
  page = opened.page
  await settled()
  return opened
}
const text = () => page!.text().replace(/\s+/g, ' ')
const button = (name: string) => page!.findAll('main button').find((one) => one.text() === name)!
const click = async (name: string) => {
  await button(name).trigger('click')
  await settled()
}

const projection = (name: string, more: Partial<Projection> = {}): Projection => ({
  name,
  version: 1,
  phase: 'live',
  rebuilt: 0,
  applied: 100,
  tail: 100,
  why: null,
  ...more,
})
const runner = (name: string, more: object = {}) => ({
  name,
  slots: 4,
  busy: 1,
  since: '2026-11-23T12:00:00Z',
  draining: false,
  labels: [{ label: 'ubuntu-latest', executor: 'host' }],
  ...more,
})
const statusOf = (more: object = {}): Status => ({
  version: '0.1.0',
  time: '2026-11-23T12:00:00Z',
  started_at: '2026-11-23T11:00:00Z',
  log: { first: 1, durable: 100, segments: 2, bytes: 4096, stopped: null },
  projections: [projection('pipeline')],
  runners: [runner('local')],
  bus: { dead_letters: 0, stalled: 0, paused: 0 },
  ...more,
})
const measuresOf = (more: object = {}) => ({
  time: '2026-11-23T12:00:00Z',
  started_at: '2026-11-23T10:00:00Z',
  uptime_seconds: 7200,
  log: {
    durable: 100,
    events_written: 90,
    batches_written: 80,
    duplicates: 3,
    pending_bytes: 0,
    last_sync_seconds: 0.004,
  },
  events_per_second: { until: new Date().toISOString(), counts: [1, 2, 30] },
  process: { resident_bytes: 50 * 1024 * 1024, open_files: 40 },
  connections: { http: 7, websockets: 1 },
  storage: null,
  versions: { headrace: '0.1.0', sqlite: '3.40.1' },
  ...more,
})

describe('what is wrong with the platform', () => {
  it('is nothing when all is well', () => expect(troublesOf(statusOf())).toEqual([]))

  it('is told, the worst first', () => {
    const status = statusOf({
      log: { ...statusOf().log, stopped: 'A sync failed.' },
      projections: [projection('tests', { phase: 'stopped' }), projection('runs', { phase: 'rebuilding' })],
      runners: [runner('local', { draining: true })],
      bus: { dead_letters: 2, stalled: 1, paused: 1 },
    })
    expect(troublesOf(status)).toEqual(['log', 'stopped', 'stalled', 'dead', 'noRunner', 'rebuilding', 'paused'])
  })

  it('is not a projection that is a few events behind', () => {
    expect(phaseOf(projection('a', { applied: 90 }) as never)).toBe('live')
    expect(phaseOf(projection('a', { applied: 0, tail: 5_000 }) as never)).toBe('behind')
  })
})

describe('the page of the platform', () => {
  beforeEach(() => {
    server.on('GET /api/v1/subscriptions', () => ({ subscriptions: [subscriptionOf('pipeline.plan')] }))
    server.on('GET /api/v1/status', () => statusOf())
    server.on('GET /api/v1/status/measures', () => measuresOf())
  })

  it('says in its head that all is well, and shows log, runners, projections and versions', async () => {
    await open('/status')
    expect(text()).toContain('All is well')
    expect(text()).toContain('1 subscription, and it keeps up')
    expect(text()).toContain('1 of 4 slots')
    expect(text()).toContain('Current')
    expect(text()).toContain('SQLite3.40.1')
    expect(text()).toContain('It is being measured.')
  })

  it('draws what the server counted, then what the stream tells', async () => {
    await open('/status')
    expect(page!.find('figure svg').attributes('aria-label')).toContain('30 at most')
    expect(page!.findAll('polyline')).toHaveLength(1)
    expect(page!.find('.last').text()).toBe('30')
  })

  it('names what is wrong in its head', async () => {
    server.on('GET /api/v1/status', () =>
      statusOf({
        bus: { dead_letters: 0, stalled: 1, paused: 0 },
        projections: [projection('tests', { phase: 'stopped', applied: 80, why: 'No such column.' })],
        runners: [],
      }),
    )
    await open('/status')
    const head = page!.find('header.head').text()
    expect(head).toContain('A projection has stopped')
    expect(head).toContain('Stalled subscriptions: 1')
    expect(head).toContain('No runner takes jobs')
    expect(text()).toContain('No such column.')
    expect(text()).toContain('No runner is connected')
  })

  it('shows where the room goes', async () => {
    const parts = [
      { name: 'log', bytes: 1024 * 1024, files: 3 },
      { name: 'artifacts', bytes: 4 * 1024 * 1024, files: 9 },
    ]
    const storage = {
      measured_at: '2026-11-23T12:00:00Z',
      took_seconds: 0.1,
      disk_bytes: 2 ** 40,
      free_bytes: 2 ** 39,
      parts,
    }
    server.on('GET /api/v1/status/measures', () => measuresOf({ storage }))
    await open('/status')
    expect(text()).toContain('5.0 MiB used, 512 GiB free of 1.0 TiB')
    expect(page!.findAll('.bars i').map((bar) => (bar.element as HTMLElement).style.width)).toEqual(['25%', '100%'])
  })

  it('still shows the rest to who may not read the log', async () => {
    server.refuse('GET /api/v1/status/measures', 403, 'denied', 'This takes event:read.')
    await open('/status')
    expect(text()).toContain('You may not see the measures')
    expect(text()).toContain('1 of 4 slots')
  })
})

describe('tokens', () => {
  const tokens = [
    {
      id: 't2',
      name: 'laptop',
      scopes: ['admin'],
      created_at: '2026-11-20T12:00:00Z',
      expires_at: null,
      last_used_at: null,
    },
    {
      id: 't1',
      name: 'a browser',
      scopes: ['run:read'],
      created_at: '2026-11-01T12:00:00Z',
      expires_at: '2026-12-20T12:00:00Z',
      last_used_at: '2026-11-23T12:00:00Z',
      current: true,
    },
  ]
  beforeEach(() => {
    server.on('GET /api/v1/tokens', () => ({ tokens }))
    server.on('GET /api/v1/whoami', () => ({ actor: 'user:alice', name: 'alice', scopes: ['run:write', 'event:read'] }))
  })

  it('are listed, that of this browser first', async () => {
    await open('/settings/tokens')
    expect(page!.findAll('tbody tr').map((row) => row.find('td').text())).toEqual(['a browser this browser', 'laptop'])
    expect(text()).toContain('run:read')
  })

  it('are made with a name and no more than one may, and shown once', async () => {
    server.on('POST /api/v1/tokens', () => ({ token: 'hr_secret', id: 't3' }))
    await open('/settings/tokens')
    await page!.find('form').trigger('submit')
    await settled()
    expect(text()).toContain('Give it a name')
    expect(server.askedFor('POST /api/v1/tokens')).toEqual([])
    await page!.find('form .field').setValue('ci')
    await page!.findAll('form input[type=radio]')[1]!.setValue(true)
    await page!.find('form').trigger('submit')
    await settled()
    expect(text()).toContain('Choose what it may do')
    expect(page!.findAll('.scopes code').map((one) => one.text())).toEqual(['run:read', 'run:write', 'event:read'])
    await page!.find('.scopes input').setValue(true)
    await page!.find('form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/tokens')[0]!.body).toEqual({ name: 'ci', days: 90, scopes: ['run:read'] })
    expect(text()).toContain('hr_secret')
    await click('I have it')
    expect(text()).not.toContain('hr_secret')
  })

  it('are revoked after the consequence was read', async () => {
    server.on('DELETE /api/v1/tokens/t2', () => new Response(null, { status: 204 }))
    await open('/settings/tokens')
    await click('Revoke')
    expect(text()).toContain('Whoever uses laptop is refused at once')
    expect(server.askedFor('DELETE /api/v1/tokens/t2')).toEqual([])
    await click('Revoke laptop')
    expect(server.askedFor('DELETE /api/v1/tokens/t2')).toHaveLength(1)
  })
})

describe('accounts', () => {
  beforeEach(() => {
    server.on('GET /api/v1/whoami', () => ({ actor: 'user:alice', name: 'alice', scopes: ['admin'] }))
    server.on('GET /api/v1/users', () => ({
      users: [
        { name: 'alice', id: 'u1', disabled: false, administrator: true },
        { name: 'bob', id: 'u2', disabled: false, administrator: false },
      ],
    }))
  })

  it('get a link that signs them in, shown once', async () => {
    server.on('POST /api/v1/tokens', () => ({ token: 'hr_forbob', id: 't9' }))
    await open('/settings/users')
    await click('Make sign-in link')
    expect(server.askedFor('POST /api/v1/tokens')[0]!.body).toEqual({ name: 'sign-in link', days: 7, user: 'bob' })
    expect(text()).toContain('/sign-in#hr_forbob')
  })

  it('are made with a role, and disabled after the consequence was read', async () => {
    server.on('POST /api/v1/users', () => ({ name: 'carol', id: 'u3', disabled: false, administrator: false }))
    server.on('PUT /api/v1/users/carol/role', () => new Response(null, { status: 204 }))
    server.on('POST /api/v1/users/bob/disable', () => new Response(null, { status: 204 }))
    await open('/settings/users')
    await page!.find('main form .field').setValue('carol')
    await page!.find('main form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/users')[0]!.body).toEqual({ name: 'carol', administrator: false })
    expect(server.askedFor('PUT /api/v1/users/carol/role')[0]!.body).toEqual({ role: 'write', scope: '*' })
    await click('Disable')
    expect(server.askedFor('POST /api/v1/users/bob/disable')).toEqual([])
    await click('Disable bob')
    expect(server.askedFor('POST /api/v1/users/bob/disable')).toHaveLength(1)
  })

  it('have their roles shown, granted and taken', async () => {
    server.on('GET /api/v1/users/bob/roles', () => ({ roles: [{ scope: 'team/shop', role: 'write' }] }))
    server.on('PUT /api/v1/users/bob/role', () => new Response(null, { status: 204 }))
    server.on('DELETE /api/v1/users/bob/role', () => new Response(null, { status: 204 }))
    await open('/settings/users')
    await page!.findAll('button.fold')[1]!.trigger('click')
    await settled()
    expect(text()).toContain('May writeteam/shop')
    await click('Take it')
    expect(server.askedFor('DELETE /api/v1/users/bob/role')[0]!.query.get('scope')).toBe('team/shop')
    await page!.find('form.grant').trigger('submit')
    await settled()
    expect(server.askedFor('PUT /api/v1/users/bob/role')[0]!.body).toEqual({ role: 'write', scope: '*' })
  })
})

describe('appearance', () => {
  it('takes effect at once and is kept', async () => {
    await open('/settings')
    expect(page!.find('main h1').text()).toBe('Appearance')
    await page!.find('input[value=compact]').setValue(true)
    await page!.find('input[value=dark]').setValue(true)
    await settled()
    expect(document.documentElement.dataset).toMatchObject({ density: 'compact', theme: 'dark' })
    expect(localStorage.getItem('headrace.density')).toBe('compact')
    expect(localStorage.getItem('headrace.theme')).toBe('dark')
    expect([usePreferences().rowHeight, usePreferences().lineHeight]).toEqual([28, 18])
    await page!.find('input[value=system]').setValue(true)
    await settled()
    expect(localStorage.getItem('headrace.theme')).toBe('system')
    expect(document.documentElement.dataset.theme).toBe('light')
    await page!.find('input[value=normal]').setValue(true)
  })

  it('rows that scripts place are as high as the style sheet has them', async () => {
    const { readFileSync } = await import('node:fs')
    const css = readFileSync('src/tokens.css', 'utf8')
    for (const [density, row, line] of [
      ['compact', 28, 18],
      ['roomy', 40, 22],
    ] as const) {
      const block = css.slice(css.indexOf(`[data-density='${density}']`)).split('}')[0]!
      expect(block).toContain(`--dense-row: ${row}px`)
      expect(block).toContain(`--log-line: ${line}px`)
    }
  })
})
