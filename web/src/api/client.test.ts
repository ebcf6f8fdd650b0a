import { afterEach, describe, expect, it, vi } from 'vitest'
import { address, ApiError, ask, named, offsetOf, onSignedOut } from './client'
import { Heard, heard } from './heard'
import type { PlatformEvent } from './types'
import { proofOf } from './session'

afterEach(() => vi.unstubAllGlobals())

const answers = (status: number, body: string) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(status === 204 ? null : body, { status })),
  )

describe('a request', () => {
  it('leaves out what is not asked for', async () => {
    answers(200, '{"runs":[],"next":null,"looked_until":null}')
    await ask('GET', '/api/v1/runs', { query: { branch: 'a b&c', at: undefined, cursor: null, q: '', limit: 30 } })
    expect(vi.mocked(fetch).mock.calls[0]![0]).toBe('/api/v1/runs?branch=a+b%26c&limit=30')
  })

  it('keeps the slashes of a revision, and of nothing else', () => {
    const home = '/api/v1/repositories/{owner}/{repo}'
    const parts = named('team/a?b')
    expect(address(`${home}/raw/{revision}`, { ...parts, revision: 'fix/a#1' }, { path: 'x/y.txt' })).toBe(
      '/api/v1/repositories/team/a%3Fb/raw/fix/a%231?path=x%2Fy.txt',
    )
    expect(address('/api/v1/events/{id}', { id: 'a/b' })).toBe('/api/v1/events/a%2Fb')
  })

  it('is no TypeScript where the server has no such thing', () => {
    const none = [
      // @ts-expect-error there is no such path
      () => ask('GET', '/api/v1/runz'),
      // @ts-expect-error it has no such method
      () => ask('POST', '/api/v1/runs'),
      // @ts-expect-error it has no such parameter
      () => ask('GET', '/api/v1/runs', { query: { limitt: 3 } }),
      // @ts-expect-error the run is missing
      () => ask('GET', '/api/v1/runs/{run}'),
      // @ts-expect-error the body has no such member
      () => ask('POST', '/api/v1/tokens', { body: { nam: 'x' } }),
      // @ts-expect-error the answer has no such member
      async () => (await ask('GET', '/api/v1/status')).bytes,
    ]
    expect(none).toHaveLength(6) // none is called: `npm run check` holds them
  })

  it('fails with the words of the server', async () => {
    answers(422, '{"error":{"code":"invalid","message":"status is queued, in_progress or completed."}}')
    const error = (await ask('GET', '/api/v1/runs').catch((caught) => caught)) as ApiError
    expect([error.status, error.code, error.message]).toEqual([
      422,
      'invalid',
      'status is queued, in_progress or completed.',
    ])
  })

  it('tells when nobody is signed in', async () => {
    const heard = vi.fn()
    onSignedOut(heard)
    answers(401, '{"error":{"code":"unauthenticated","message":"Sign in."}}')
    await expect(ask('GET', '/api/v1/whoami')).rejects.toThrow('Sign in.')
    expect(heard).toHaveBeenCalledOnce()
  })

  it('is offline where no server is, and where a proxy says so', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('Failed to fetch'))),
    )
    expect(await ask('GET', '/api/v1/runs').catch((caught) => caught)).toMatchObject({ code: 'offline', status: 0 })
    answers(502, '<html>Bad gateway</html>')
    expect(await ask('GET', '/api/v1/runs').catch((caught) => caught)).toMatchObject({ code: 'offline', status: 502 })
  })

  it('may have no body', async () => {
    answers(204, '')
    expect(await ask('DELETE', '/api/v1/session')).toBeUndefined()
  })
})

it.each([
  ['http://127.0.0.1:8080/sign-in#abc', '', { code: 'abc' }],
  [' abc ', 'alice', { code: 'abc', user: 'alice' }],
  ['hr_123', 'alice', { token: 'hr_123' }],
])('what is pasted as %s is understood', (text, user, proof) => expect(proofOf(text, user)).toEqual(proof))

describe('what is read and what is heard', () => {
  const shows = (...offsets: number[]) => {
    const answer = vi.fn(async () => {
      const offset = String(offsets.length > 1 ? offsets.shift() : offsets[0])
      return new Response('{}', { headers: { 'X-Headrace-Offset': offset } })
    })
    vi.stubGlobal('fetch', answer)
    return answer
  }
  const headerOf = (call: unknown[]) => (call[1] as { headers: Record<string, string> }).headers['X-Headrace-After']

  it('is read with all that was heard, and what one did oneself', async () => {
    Object.assign(heard, new Heard())
    const answer = shows(7)
    await ask('GET', '/api/v1/status')
    await heard.begin()
    heard.hear({ offset: 9 } as PlatformEvent)
    await ask('GET', '/api/v1/status')
    answer.mockImplementationOnce(async () => new Response('{}', { headers: { 'X-Headrace-Offset': '12' } }))
    await ask('DELETE', '/api/v1/session')
    await ask('GET', '/api/v1/status')
    await ask('GET', '/api/v1/runs', { query: { at: '3' } })
    expect(answer.mock.calls.map(headerOf)).toEqual([undefined, '9', undefined, '12', undefined])
  })

  it('is read again where it is older than what was heard joins to, and then taken as it is', async () => {
    Object.assign(heard, new Heard())
    shows(7)
    await ask('GET', '/api/v1/status')
    await heard.begin()
    const late = shows(6, 8)
    expect(offsetOf(await ask('GET', '/api/v1/status'))).toBe(8)
    expect(late).toHaveBeenCalledTimes(2)
    const behind = shows(6, 6)
    expect(offsetOf(await ask('GET', '/api/v1/status'))).toBe(6)
    expect(behind).toHaveBeenCalledTimes(2)
  })
})
