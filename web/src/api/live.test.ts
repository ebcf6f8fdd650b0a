import { describe, expect, it } from 'vitest'
import { ApiError } from './client'
import { Live, silentAfter, type Connection } from './live'

// A server that says what it is told, and time that passes only when somebody sleeps.
class World {
  first: (() => Promise<number>) | undefined
  time = 0
  asked: (number | null)[] = []
  offsets: number[] = []
  states: [number, Connection][] = []
  answers: (() => Response | Error)[] = []
  live = new Live(
    {
      first: async () => (this.first ? this.first() : (null as unknown as number)),
      open: async (after) => {
        this.asked.push(after)
        const answer = this.answers.shift()
        const said = answer ? answer() : new ApiError(0, 'offline', 'nobody answers')
        if (said instanceof Error) throw said
        return said
      },
      now: () => this.time,
      chance: () => 0.5,
      sleep: async (ms, signal) => {
        await new Promise((done) => setTimeout(done))
        if (!signal.aborted) this.time += ms
      },
    },
    {
      event: (event) => this.offsets.push(event.offset),
      state: (state) => this.states.push([this.time, state]),
    },
  )

  async until(done: () => boolean) {
    for (let turn = 0; turn < 2000 && !done(); turn++) await new Promise((next) => setTimeout(next))
    this.live.stop()
    expect(done()).toBe(true)
  }
}

const event = (offset: number) => `id: ${offset}\ndata: {"offset":${offset}}\n\n`
const says = (text: string, end: 'closes' | 'stays') => () =>
  new Response(
    new ReadableStream<Uint8Array>({
      start(out) {
        out.enqueue(new TextEncoder().encode(text))
        if (end === 'closes') out.close()
      },
    }),
  )

describe('the live connection', () => {
  it('begins where it is told to, once somebody can tell', async () => {
    const world = new World()
    world.first = async () => (world.time < 500 ? Promise.reject(new Error('not yet')) : 7)
    world.answers = [says(event(8), 'stays')]
    world.live.start()
    await world.until(() => world.offsets.length === 1)
    expect(world.asked).toEqual([7])
  })

  it('goes on after the last event it has, and hears none twice', async () => {
    const world = new World()
    world.answers = [says(event(5) + event(6), 'closes'), says(event(6) + event(7), 'stays')]
    world.live.start(4)
    await world.until(() => world.offsets.length === 3)
    expect(world.offsets).toEqual([5, 6, 7])
    expect(world.asked.slice(0, 2)).toEqual([4, 6])
  })

  it('begins with now where nothing is known', async () => {
    const world = new World()
    world.answers = [says(event(9), 'stays')]
    world.live.start()
    await world.until(() => world.offsets.length === 1)
    expect(world.asked[0]).toBeNull()
  })

  it('says nothing of trouble under two seconds, then reconnecting, then offline, then live again', async () => {
    const world = new World()
    world.answers = [says(event(1), 'closes')]
    world.live.start()
    await world.until(() => world.states.some(([, state]) => state === 'offline'))
    expect(world.states.map(([, state]) => state)).toEqual(['live', 'reconnecting', 'offline'])
    const [, reconnecting, offline] = world.states
    expect(reconnecting![0]).toBeGreaterThanOrEqual(2_000)
    expect(reconnecting![0]).toBeLessThan(3_000)
    expect(offline![0]).toBeGreaterThanOrEqual(30_000)
    expect(offline![0]).toBeLessThan(31_000)
    expect(world.asked.length).toBeLessThan(15) // it backs off
    world.answers = [says(event(2), 'stays')]
    world.live.start()
    await world.until(() => world.states.at(-1)![1] === 'live' && world.offsets.length === 2)
    expect(world.asked.at(-1)).toBe(1)
  })

  it('takes a stream that has gone silent for a lost one', async () => {
    const world = new World()
    world.answers = [says(event(1), 'stays'), says(event(2), 'stays')]
    world.live.start()
    await world.until(() => world.offsets.length === 2)
    expect(world.time).toBeGreaterThanOrEqual(silentAfter)
    expect(world.states.map(([, state]) => state)).toEqual(['live'])
  })

  it('ends where the right is missing', async () => {
    const world = new World()
    world.answers = [() => new ApiError(403, 'denied', 'no')]
    world.live.start()
    await world.until(() => world.states.length === 1)
    expect(world.states[0]![1]).toBe('refused')
    expect(world.asked).toHaveLength(1)
  })
})
