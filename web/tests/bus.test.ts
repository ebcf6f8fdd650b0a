// Subscriptions and dead letters, as whoever keeps the platform well uses them.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VueWrapper } from '@vue/test-utils'
import App from '@/App.vue'
import type { DeadLetter } from '@/api/bus'
import { useConnection } from '@/stores/connection'
import { mounted, Server, settled, subscriptionOf } from './mounting'

let server: Server
let page: VueWrapper
beforeEach(() => {
  server = new Server()
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  useConnection().end()
  page.unmount()
  vi.unstubAllGlobals()
  vi.useRealTimers()
  document.body.replaceChildren()
})
const open = async (path: string) => {
  const opened = await mounted(App, path)
  page = opened.page
  await settled()
  return opened
}
const text = () => page.text().replace(/\s+/g, ' ')
const button = (name: string) => page.findAll('button').find((one) => one.text().startsWith(name))!
const click = async (name: string) => {
  ;(button(name).element as HTMLElement).focus()
  await button(name).trigger('click')
  await settled()
}
const later = async (milliseconds: number) => {
  vi.setSystemTime(Date.now() + milliseconds)
  await new Promise((done) => setTimeout(done, 400))
  await settled()
}
const letterOf = (offset: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  subscription: 'notify',
  offset,
  key: 'team/shop',
  attempts: 6,
  error: 'The address does not answer.\nsecond line',
  since: '2026-11-23T12:00:00Z',
  holds: false,
  event: {
    id: `e${offset}`,
    type: 'dev.cdevents.pipelinerun.finished.0.3.0',
    subject: 'uuid-412',
    time: '2026-11-23T12:00:00Z',
  },
  ...more,
})

describe('the list of subscriptions', () => {
  const list = (...all: unknown[]) => server.on('GET /api/v1/subscriptions', () => ({ subscriptions: all }))

  it('shows who is behind first, in words, and keeps the order while values change', async () => {
    list(subscriptionOf('a'), subscriptionOf('b', { state: 'stalled' }, { oldest_unacknowledged_seconds: 72 }))
    await open('/subscriptions')
    const names = () => page.findAll('tbody a').map((one) => one.text())
    expect(names()).toEqual(['b', 'a'])
    expect(page.findAll('tbody .badge').map((one) => one.text())).toEqual(['Stalled', 'Delivers'])
    expect(text()).toContain('1 stalled')
    expect(text()).toContain('1m 12s')
    list(subscriptionOf('a', {}, { dead: 3 }), subscriptionOf('b'))
    vi.setSystemTime(Date.now() + 3_000)
    server.say({ offset: 101, id: 'e', type: 'x', time: '2026-11-23T12:00:00Z' })
    await later(0)
    expect(names()).toEqual(['b', 'a'])
    expect(text()).toContain('3 dead letters')
    await click('Put who is behind first')
    expect(names()).toEqual(['a', 'b'])
  })

  it('asks nothing while nothing is said and nothing moves', async () => {
    list(subscriptionOf('a'))
    await open('/subscriptions')
    const before = server.askedFor('GET /api/v1/subscriptions').length
    await later(60_000)
    expect(server.askedFor('GET /api/v1/subscriptions')).toHaveLength(before)
  })

  it('asks nothing while nobody looks, and once when they look again', async () => {
    list(subscriptionOf('a'))
    await open('/subscriptions')
    const asked = () => server.askedFor('GET /api/v1/subscriptions').length
    const before = asked()
    const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true)
    vi.setSystemTime(Date.now() + 3_000)
    server.say({ offset: 101, id: 'e', type: 'x', time: '2026-11-23T12:00:00Z' })
    await later(0)
    expect(asked()).toBe(before)
    hidden.mockReturnValue(false)
    dispatchEvent(new Event('visibilitychange'))
    await later(0)
    expect(asked()).toBe(before + 1)
    hidden.mockRestore()
  })

  it('does not show the present as the past', async () => {
    list(subscriptionOf('a'))
    const { router } = await open('/subscriptions?at=50')
    expect(page.find('main h1').text()).toBe('This page shows only now')
    expect(server.askedFor('GET /api/v1/subscriptions')).toEqual([])
    await page.find('main button').trigger('click')
    await settled()
    await settled()
    expect(router.currentRoute.value.fullPath).toBe('/subscriptions')
    expect(page.findAll('tbody tr')).toHaveLength(1)
  })

  it('makes one of one’s own, with its filter tried first', async () => {
    list()
    const message = "The filter cannot be used: 'typo' is no operator, at column 6."
    server.refuse('GET /api/v1/events', 422, 'invalid', message)
    const { router } = await open('/subscriptions?new')
    await page.find('#new-name').setValue('watch')
    await page.find('#new-filter').setValue('type typo 1')
    await page.find('#new-filter').trigger('change')
    await settled()
    expect(page.find('.caret').text()).toBe('^')
    expect(page.find('.caret').element.textContent).toBe('     ^')
    await page.find('form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/subscriptions')).toEqual([])
    expect(document.activeElement?.id).toBe('new-filter')
    server.on('GET /api/v1/events', () => ({ events: [{}, {}], next: null }))
    server.on('POST /api/v1/subscriptions', () => subscriptionOf('watch', { kind: 'pull' }))
    server.on('GET /api/v1/subscriptions/watch', () => subscriptionOf('watch', { kind: 'pull', service: '' }))
    server.on('GET /api/v1/dead-letters', () => ({ dead_letters: [] }))
    await page.find('#new-filter').setValue("type = 'x'")
    await page.find('#new-filter').trigger('change')
    await settled()
    expect(text()).toContain('Fits 2 of the last 100 events')
    await page.find('form').trigger('submit')
    await settled()
    expect(server.askedFor('POST /api/v1/subscriptions')[0]!.body).toMatchObject({
      name: 'watch',
      filter: "type = 'x'",
      start: 'now',
      on_dead: 'continue',
    })
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/subscriptions/watch'), 10_000)
  })
})

describe('a subscription', () => {
  const show = (...given: Parameters<typeof subscriptionOf>) => {
    server.on(`GET /api/v1/subscriptions/${given[0]}`, () => subscriptionOf(...given))
    server.on('GET /api/v1/dead-letters', () => ({ dead_letters: [] }))
  }

  it('says first what waits, since when and why', async () => {
    const waiting = [
      {
        reason: 'back-off' as const,
        since: '2026-11-23T12:00:00Z',
        offset: 81,
        key: 'team/shop',
        detail: 'Failed 2 times, next at 12:01: no answer',
      },
    ]
    show('notify', { waiting }, { queue_length: 3, oldest_unacknowledged_seconds: 72 })
    await open('/subscriptions/notify')
    expect(text()).toContain('3 events wait. The oldest has waited for 1 min 12 s.')
    expect(text()).toContain('Failed, will be tried again')
    expect(page.find('main a[href="/events/at/81"]').exists()).toBe(true)
  })

  it('of the platform is paused only after its consequence is read, one’s own at once', async () => {
    show('pipeline.plan')
    server.on('POST /api/v1/subscriptions/pipeline.plan/pause', () => subscriptionOf('pipeline.plan'))
    await open('/subscriptions/pipeline.plan')
    await click('Pause')
    expect(server.askedFor('POST /api/v1/subscriptions/pipeline.plan/pause')).toEqual([])
    expect(text()).toContain('pipeline hears nothing until it is resumed')
    await click('Keep it delivering')
    expect(text()).not.toContain('pipeline hears nothing until it is resumed')
    expect(document.activeElement?.textContent?.trim()).toBe('Pause')
    await click('Pause')
    show('pipeline.plan', { state: 'paused' })
    await click('Pause pipeline.plan')
    expect(server.askedFor('POST /api/v1/subscriptions/pipeline.plan/pause')).toHaveLength(1)
    expect(page.find('main .badge').text()).toBe('Paused')
    expect(button('Resume').exists()).toBe(true)
    page.unmount()
    document.body.replaceChildren()

    show('mine', { kind: 'pull' })
    server.on('POST /api/v1/subscriptions/mine/pause', () => subscriptionOf('mine'))
    await open('/subscriptions/mine')
    await click('Pause')
    expect(server.askedFor('POST /api/v1/subscriptions/mine/pause')).toHaveLength(1)
  })

  it('goes on from where it is told', async () => {
    show('mine', { kind: 'pull' })
    server.on('POST /api/v1/subscriptions/mine/seek', () => subscriptionOf('mine'))
    await open('/subscriptions/mine')
    await click('Go on elsewhere')
    await page.find('fieldset .field').setValue('nonsense')
    await click('Go on from there')
    expect(text()).toContain('neither a time')
    await page.find('fieldset .field').setValue('42')
    await click('Go on from there')
    expect(server.askedFor('POST /api/v1/subscriptions/mine/seek')[0]!.query.get('to')).toBe('42')
  })

  it('is deleted only when its name is typed', async () => {
    show('mine', { kind: 'pull' })
    server.on('DELETE /api/v1/subscriptions/mine', () => new Response(null, { status: 204 }))
    server.on('GET /api/v1/subscriptions', () => ({ subscriptions: [] }))
    const { router } = await open('/subscriptions/mine')
    await click('Delete…')
    await click('Delete subscription')
    expect(server.askedFor('DELETE /api/v1/subscriptions/mine')).toEqual([])
    await page.find('dialog input').setValue('mine')
    await click('Delete subscription')
    expect(server.askedFor('DELETE /api/v1/subscriptions/mine')).toHaveLength(1)
    await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('subscriptions'), 10_000)
  })

  it('leads to what was last said of it', async () => {
    show('mine', { kind: 'pull', state: 'paused' })
    server.on('GET /api/v1/events', () => ({ events: [{ offset: 90, id: 'e90' }], next: null }))
    const { router } = await open('/subscriptions/mine')
    await click('Why?')
    expect(server.askedFor('GET /api/v1/events')[0]!.query.get('filter')).toContain("subject = 'mine'")
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/events/e90'), 10_000)
  })
})

describe('dead letters', () => {
  let letters: DeadLetter[] = []
  beforeEach(() => {
    letters = [letterOf(7), letterOf(8, { holds: true })]
    server.on('GET /api/v1/dead-letters', () => ({ dead_letters: letters }))
  })

  it('name what failed and why, and show the event when asked', async () => {
    server.on('GET /api/v1/dead-letters/notify/7', () => ({
      ...letterOf(7),
      event: { ...letterOf(7).event, offset: 7, data: { customData: { number: 412 } } },
    }))
    await open('/dead-letters')
    expect(text()).toContain('2 deliveries were given up')
    expect(text()).toContain('pipelinerun.finished')
    expect(text()).toContain('6 tries')
    expect(text()).not.toContain('second line')
    await page.find('button.fold').trigger('click')
    await settled()
    expect(text()).toContain('second line')
    expect(page.find('pre').text()).toContain('"number": 412')
  })

  it('are delivered again, and the focus goes to the next one', async () => {
    server.on('POST /api/v1/dead-letters/notify/7/replay', () => {
      letters = [letters[1]!]
      return new Response(null, { status: 204 })
    })
    await open('/dead-letters')
    const first = button('Deliver again')
    ;(first.element as HTMLElement).focus()
    await first.trigger('click')
    await settled()
    expect(page.findAll('button.fold')).toHaveLength(1)
    expect(document.activeElement).toBe(page.find('button.fold').element)
  })

  it('are discarded only when the name of the subscription is typed, with the reason on record', async () => {
    server.on('POST /api/v1/dead-letters/notify/8/discard', () => new Response(null, { status: 204 }))
    await open('/dead-letters')
    await page
      .findAll('button')
      .filter((one) => one.text() === 'Discard…')[1]!
      .trigger('click')
    await settled()
    expect(text()).toContain('later events of team/shop go on without it')
    await page.find('dialog .danger').trigger('click')
    expect(server.askedFor('POST /api/v1/dead-letters/notify/8/discard')).toEqual([])
    const [reason, name] = page.findAll('dialog input')
    await reason!.setValue('the address is gone')
    await name!.setValue('notify')
    await page.find('dialog .danger').trigger('click')
    await settled()
    const [asked] = server.askedFor('POST /api/v1/dead-letters/notify/8/discard')
    expect(asked!.query.get('reason')).toBe('the address is gone')
    expect(page.findAll('button.fold')).toHaveLength(1)
  })

  it('are all delivered again after one confirmation, and a refusal is shown where it was asked', async () => {
    server.on('POST /api/v1/dead-letters/notify/7/replay', () => new Response(null, { status: 204 }))
    server.refuse('POST /api/v1/dead-letters/notify/8/replay', 409, 'conflict', 'It is paused.')
    await open('/dead-letters')
    await click('Deliver all again')
    await click('Deliver 2 again')
    expect(text()).toContain('Refused: It is paused.')
  })

  it('are counted in the sections when there are some', async () => {
    server.on('GET /api/v1/status', () => ({
      ...{ projections: [], runners: [], version: '0.1.0' },
      log: { first: 1, durable: 100, segments: 1, bytes: 1, stopped: null },
      bus: { dead_letters: 2, stalled: 0, paused: 0 },
    }))
    await open('/dead-letters')
    expect(page.find('nav.sidebar').text()).toContain('Dead letters2')
  })
})

it('an address with an offset leads to the event that is there', async () => {
  server.on('GET /api/v1/events', () => ({ events: [{ offset: 81, id: 'e81' }], next: null }))
  const { router } = await open('/events/at/81')
  await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/events/e81'), 10_000)
  server.on('GET /api/v1/events', () => ({ events: [], next: null }))
  await router.push('/events/at/9999999')
  await vi.waitFor(() => expect(text()).toContain('Could not find the event at offset 9999999'), 10_000)
})

it('an event tells which subscriptions hear it, and how far they are', async () => {
  const type = 'dev.cdevents.pipelinerun.finished.0.2.0'
  const event = { offset: 90, id: 'e90', specversion: '1.0', source: '/x', type, time: '2026-11-23T12:00:00Z' }
  const types = ['dev.cdevents.pipelinerun.finished.0.3.0']
  server.on('GET /api/v1/events/e90/why', () => ({
    event,
    causes: [],
    effects: [],
    root_found: true,
    truncated: false,
  }))
  server.on('GET /api/v1/subscriptions', () => ({
    subscriptions: [
      subscriptionOf('done', { types }),
      subscriptionOf('late', { types, acknowledged: 89 }),
      subscriptionOf('dead', { types }, { dead: 1 }),
      subscriptionOf('other', { types: ['org.example.other'] }),
      subscriptionOf('fits', { types: [], filter: "partitionkey = 'team/shop'" }),
      subscriptionOf('fits-not', { types: [], filter: "partitionkey = 'team/hello'" }),
    ],
  }))
  server.on('GET /api/v1/dead-letters', () => ({ dead_letters: [letterOf(90, { subscription: 'dead' })] }))
  server.on('GET /api/v1/events', ({ query }) => ({
    events:
      query.get('filter')?.includes('shop') && query.get('from') === '90' && query.get('at') === '90' ? [event] : [],
    next: null,
  }))
  await open('/events/e90')
  await vi.waitFor(() => expect(page.find('.heard').exists()).toBe(true), 10_000)
  expect(page.find('.heard').text().replace(/\s+/g, ' ')).toMatch(/4 subscriptions hear events like this/)
  expect(page.findAll('.heard .one').map((one) => one.text().replace(/\s+/g, ' '))).toEqual([
    expect.stringMatching(/done ?done/),
    expect.stringMatching(/late ?not yet/),
    expect.stringMatching(/dead ?dead letter/),
    expect.stringMatching(/fits ?done/),
  ])
})
