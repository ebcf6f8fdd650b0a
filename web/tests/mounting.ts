// A page or a part of one as the application mounts it, before a server that answers what a test says.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { vi } from 'vitest'
import { createMemoryHistory, type Router } from 'vue-router'
import type { Component } from 'vue'
import { i18n, useLanguage } from '@/i18n'
import { Heard, heard } from '@/api/heard'
import { makeRouter } from '@/router'
import type { Measures, Subscription } from '@/api/bus'
import type { Run } from '@/api/types'

export interface Asked {
  method: string
  path: string
  query: URLSearchParams
  body: unknown
}
type Answer = (asked: Asked) => unknown | Response

export class Server {
  asked: Asked[] = []
  private answers = new Map<string, Answer>()
  private events: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor() {
    this.healthy()
    vi.stubGlobal('fetch', async (address: string, init: RequestInit = {}) => this.answer(address, init))
  }

  // Answers what every page asks.
  healthy(): void {
    this.on('GET /api/v1/whoami', () => ({ actor: 'user:alice', name: 'alice', scopes: [] }))
    this.on('GET /api/v1/status', () => ({
      version: '0.1.0',
      log: { first: 1, durable: 100, segments: 1, bytes: 1, stopped: null },
      projections: [],
      runners: [{ name: 'local', slots: 1, busy: 0, since: '2026-11-23T12:00:00Z', draining: false, labels: [] }],
      bus: { dead_letters: 0, stalled: 0, paused: 0 },
    }))
    this.on('GET /api/v1/repositories', () => ({ repositories: [], next: null }))
    this.on('GET /api/v1/events/stream', () => {
      const body = new ReadableStream<Uint8Array>({ start: (out) => void (this.events = out) })
      return new Response(body)
    })
  }

  on(what: string, answer: Answer): void {
    this.answers.set(what, answer)
  }
  refuse(what: string, status: number, code: string, message: string): void {
    this.on(what, () => new Response(JSON.stringify({ error: { code, message } }), { status }))
  }
  // An event on the live connection.
  say(event: object): void {
    this.events!.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`))
  }
  askedFor(what: string): Asked[] {
    return this.asked.filter((one) => `${one.method} ${one.path}` === what)
  }

  private answer(address: string, init: RequestInit): Response {
    const url = new URL(address, 'http://localhost')
    const asked = {
      method: init.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    }
    this.asked.push(asked)
    const answer = this.answers.get(`${asked.method} ${asked.path}`)
    if (!answer) return new Response(`{"error":{"code":"not_found","message":"${asked.path}"}}`, { status: 404 })
    const said = answer(asked)
    if (said instanceof Response) return said
    return new Response(JSON.stringify(said), { status: 200, headers: { 'X-Headrace-Offset': '100' } })
  }
}

// What jsdom lacks of a browser.
export function furnish(): void {
  vi.stubGlobal('scrollTo', () => {})
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  )
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  )
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true
  }
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false
    this.dispatchEvent(new Event('close'))
  }
  Element.prototype.scrollIntoView ??= () => {}
}

export async function mounted(
  component: Component,
  path = '/runs',
  props: object = {},
): Promise<{ page: VueWrapper; router: Router }> {
  furnish()
  Object.assign(heard, new Heard())
  const pinia = createPinia()
  setActivePinia(pinia)
  await useLanguage('en')
  const router = makeRouter(createMemoryHistory())
  await router.push(path)
  const page = mount(component, { props, attachTo: document.body, global: { plugins: [pinia, i18n, router] } })
  await settled()
  return { page, router }
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await flushPromises()
    await new Promise((next) => setTimeout(next))
  }
}

export const runOf = (id: number, more: Partial<Run> = {}): Run => ({
  id,
  run: `uuid-${id}`,
  number: id,
  attempt: 1,
  repository: 'team/shop',
  workflow: 'CI',
  workflow_file: '.github/workflows/ci.yml',
  event: 'push',
  ref: 'refs/heads/main',
  branch: 'main',
  commit: '3fa91c07be12345678901234567890123456789a',
  actor: 'alice',
  title: `commit ${id}`,
  status: 'completed',
  conclusion: 'success',
  errors: '',
  waits: false,
  group: '',
  url: '',
  created_at: '2026-11-23T12:00:00Z',
  queued_at: '2026-11-23T12:00:00Z',
  started_at: '2026-11-23T12:00:01Z',
  completed_at: '2026-11-23T12:00:42Z',
  jobs: [],
  ...more,
})

export const subscriptionOf = (
  name: string,
  more: Partial<Subscription> = {},
  measures: Partial<Measures> = {},
): Subscription => ({
  name,
  service: 'pipeline',
  kind: 'handler',
  types: ['dev.cdeventsx.headrace-push.accepted.0.1.0'],
  filter: '',
  order_by: 'partitionkey',
  on_dead: 'continue',
  state: 'running',
  acknowledged: 100,
  connections: 0,
  waiting: [],
  held: [],
  ...more,
  measures: {
    oldest_unacknowledged_seconds: 0,
    queue_length: 0,
    queue_exact: true,
    delivered: 0,
    delivered_per_second: 0,
    attempts: 0,
    failed: 0,
    dead: 0,
    in_flight: 0,
    error_rate: 0,
    handler_p50_seconds: 0,
    handler_p99_seconds: 0,
    response_p50_seconds: 0,
    response_p99_seconds: 0,
    ...measures,
  },
})
