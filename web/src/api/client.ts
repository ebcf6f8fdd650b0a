// One request to the API of this server: same origin, JSON, and a refusal is an ApiError with the server's own words.
import type { ErrorCode } from './types'

export class ApiError extends Error {
  constructor(
    readonly status: number, // of HTTP; 0: there was no answer
    readonly code: ErrorCode | 'offline',
    message: string,
  ) {
    super(message)
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  query?: Query
  body?: unknown
  signal?: AbortSignal | undefined
  headers?: Record<string, string>
}

const prefix = '/api'

export function address(path: string, query: Query = {}): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '' && value !== false) words.set(name, String(value))
  const text = words.toString()
  return `${prefix}${path}${text ? `?${text}` : ''}`
}

let signedOut: () => void = () => {}
// Called whenever the server does not know who asks (any more).
export function onSignedOut(heard: () => void): void {
  signedOut = heard
}

let answered: (response: Response) => void = () => {}
// Called with every answer: its Date is the server's clock.
export function onAnswer(heard: (response: Response) => void): void {
  answered = heard
}

export async function send(path: string, asked: Asked = {}): Promise<Response> {
  const headers: Record<string, string> = { 'X-Requested-With': 'headrace-web', ...asked.headers }
  const init: RequestInit = { method: asked.method ?? 'GET', headers, credentials: 'same-origin', redirect: 'follow' }
  if (asked.signal) init.signal = asked.signal
  if (asked.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(asked.body)
  }
  let response: Response
  try {
    response = await fetch(address(path, asked.query), init)
  } catch (error) {
    if (asked.signal?.aborted) throw error
    throw new ApiError(0, 'offline', error instanceof Error ? error.message : String(error))
  }
  answered(response)
  if (response.ok) return response
  throw await refusal(response)
}

async function refusal(response: Response): Promise<ApiError> {
  if (response.status === 401) signedOut()
  const text = await response.text().catch(() => '')
  try {
    const { error } = JSON.parse(text) as { error: { code: ErrorCode; message: string } }
    return new ApiError(response.status, error.code, error.message)
  } catch {
    // No answer of the platform: a proxy's page, or the development server's when nobody is behind it.
    return new ApiError(response.status, response.status >= 500 ? 'offline' : 'invalid', text.slice(0, 200))
  }
}

export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const response = await send(path, asked)
  return (response.status === 204 ? undefined : await response.json()) as T
}
