// The one live connection: the platform's events as they happen, in order, each once, over any number of losses.
import { SseParser } from './sse'
import { ApiError } from './client'
import type { PlatformEvent } from './types'

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused'

export interface Surroundings {
  first?(signal: AbortSignal): Promise<number> // where to begin, where start() was not told; else at what is said from now on
  open(after: number | null, signal: AbortSignal): Promise<Response>
  now(): number
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>
  chance(): number
}

export interface LiveHeard {
  event(event: PlatformEvent): void
  state(state: Connection): void
}

export const quietAfter = 2_000 // trouble that is over by then is not shown
export const offlineAfter = 30_000
export const silentAfter = 32_000 // two heartbeats of 15 s were missed, and a little
const backOff = [250, 500, 1_000, 2_000, 5_000, 10_000]

export class Live {
  private offset: number | null = null
  private running: AbortController | null = null
  private attempt: AbortController | null = null
  private troubleSince: number | null = null
  private state: Connection = 'connecting'

  constructor(
    private readonly around: Surroundings,
    private readonly heard: LiveHeard,
  ) {}

  get lastOffset(): number | null {
    return this.offset
  }

  // `after`: the offset that what is shown already holds.
  start(after: number | null = null): void {
    if (this.running) return
    this.offset ??= after
    this.running = new AbortController()
    void this.run(this.running.signal)
  }

  stop(): void {
    this.running?.abort()
    this.attempt?.abort()
    this.running = null
    this.troubleSince = null
  }

  // Ends, and begins anew where it is started again.
  forget(): void {
    this.stop()
    this.offset = null
  }

  // Called when there is reason to believe that it works again: the network is back, the page is looked at.
  hurry(): void {
    if (this.state !== 'live') this.wake?.()
  }
  private wake: (() => void) | null = null

  private async run(signal: AbortSignal): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        const response = await this.opened(signal)
        tries = 0
        await this.read(response, signal)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          this.show('refused')
          return
        }
      }
      if (signal.aborted) return
      this.troubleSince ??= this.around.now()
      await this.pause(tries, signal)
    }
  }

  private async opened(signal: AbortSignal): Promise<Response> {
    this.attempt = new AbortController()
    const both = AbortSignal.any([signal, this.attempt.signal])
    this.offset ??= (await this.around.first?.(both)) ?? null
    const response = await this.around.open(this.offset, both)
    if (!response.body) throw new Error('The stream has no body.')
    this.troubleSince = null
    this.show('live')
    return response
  }

  private async read(response: Response, signal: AbortSignal): Promise<void> {
    const reader = response.body!.getReader()
    const decoder = new TextDecoder()
    const parser = new SseParser()
    try {
      while (!signal.aborted) {
        const piece = await this.before(reader.read(), silentAfter, signal)
        if (piece === null || piece.done) return
        for (const message of parser.feed(decoder.decode(piece.value, { stream: true }))) this.take(message.data)
      }
    } finally {
      this.attempt?.abort()
    }
  }

  // Null where nothing came in time.
  private async before<T>(work: Promise<T>, limit: number, signal: AbortSignal): Promise<T | null> {
    const timer = new AbortController()
    const late = this.around.sleep(limit, AbortSignal.any([signal, timer.signal])).then(() => null)
    try {
      return await Promise.race([work, late])
    } finally {
      timer.abort()
      work.catch(() => {}) // it ends with the attempt
    }
  }

  private take(data: string): void {
    const event = JSON.parse(data) as PlatformEvent
    if (this.offset !== null && event.offset <= this.offset) return
    this.offset = event.offset
    this.heard.event(event)
  }

  private async pause(tries: number, signal: AbortSignal): Promise<void> {
    const base = backOff[Math.min(tries, backOff.length - 1)]!
    const until = this.around.now() + base * (0.75 + this.around.chance() / 2)
    while (!signal.aborted && this.around.now() < until) {
      this.showTrouble()
      const waited = new AbortController()
      this.wake = () => waited.abort()
      await this.around.sleep(Math.min(250, until - this.around.now()), AbortSignal.any([signal, waited.signal]))
      if (waited.signal.aborted) break
    }
    this.wake = null
    this.showTrouble()
  }

  private showTrouble(): void {
    const since = this.around.now() - (this.troubleSince ?? this.around.now())
    if (since >= offlineAfter) this.show('offline')
    else if (since >= quietAfter) this.show('reconnecting')
  }

  private show(state: Connection): void {
    if (state === this.state) return
    this.state = state
    this.heard.state(state)
  }
}

// Real time and chance. A sleep ends early, without an error, when it is given up.
export const realTime = {
  now: () => Date.now(),
  chance: () => Math.random(),
  sleep: (milliseconds: number, signal: AbortSignal) =>
    new Promise<void>((done) => {
      if (signal.aborted) return done()
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        done()
      }
      const timer = setTimeout(end, milliseconds)
      signal.addEventListener('abort', end)
    }),
}
