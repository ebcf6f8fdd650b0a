import { afterEach, describe, expect, it, vi } from 'vitest'
import { address, ApiError, ask, onSignedOut } from './client'
import { proofOf } from './session'

afterEach(() => vi.unstubAllGlobals())

const answers = (status: number, body: string) =>
  vi.stubGlobal(
    'fetch',
    vi.fn(async () => new Response(status === 204 ? null : body, { status })),
  )

describe('a request', () => {
  it('leaves out what is not asked for', () => {
    expect(address('/v1/runs', { branch: 'a b&c', at: undefined, cursor: null, force: false, limit: 30 })).toBe(
      '/api/v1/runs?branch=a+b%26c&limit=30',
    )
  })

  it('fails with the words of the server', async () => {
    answers(422, '{"error":{"code":"invalid","message":"status is queued, in_progress or completed."}}')
    const error = (await ask('/v1/runs').catch((caught) => caught)) as ApiError
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
    await expect(ask('/v1/whoami')).rejects.toThrow('Sign in.')
    expect(heard).toHaveBeenCalledOnce()
  })

  it('is offline where no server is, and where a proxy says so', async () => {
    vi.stubGlobal(
      'fetch',
      vi.fn(async () => Promise.reject(new TypeError('Failed to fetch'))),
    )
    expect(await ask('/v1/runs').catch((caught) => caught)).toMatchObject({ code: 'offline', status: 0 })
    answers(502, '<html>Bad gateway</html>')
    expect(await ask('/v1/runs').catch((caught) => caught)).toMatchObject({ code: 'offline', status: 502 })
  })

  it('may have no body', async () => {
    answers(204, '')
    expect(await ask('/v1/session', { method: 'DELETE' })).toBeUndefined()
  })
})

it.each([
  ['http://127.0.0.1:8080/sign-in#abc', '', { code: 'abc' }],
  [' abc ', 'alice', { code: 'abc', user: 'alice' }],
  ['hr_123', 'alice', { token: 'hr_123' }],
])('what is pasted as %s is understood', (text, user, proof) => expect(proofOf(text, user)).toEqual(proof))
