// One request to the API of this server: same origin, JSON, and a refusal is an ApiError with the server's own words. What
// can be asked, with what, and what comes back, is the server's OpenAPI document: openapi.ts is made from it
// (`npm run check`), so a call that the server does not have is no TypeScript.
import { early, textOf } from './early'
import { heard } from './heard'
import type { paths } from './openapi'
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

interface Methods {
  GET: 'get'
  POST: 'post'
  PUT: 'put'
  DELETE: 'delete'
}
export type Method = keyof Methods

// The operation of a path by a method.
type Operation<M extends Method, P extends keyof paths> = NonNullable<paths[P][Methods[M]]>
export type PathBy<M extends Method> = {
  [P in keyof paths]: undefined extends paths[P][Methods[M]] ? never : P
}[keyof paths]

type Loose<T> = { [K in keyof T]?: T[K] | null | undefined }
type QueryOf<O> = O extends { parameters: { query?: infer Q } } ? Loose<NonNullable<Q>> : never
type PartsOf<O> = O extends { parameters: { path: infer P } } ? { [K in keyof P]: string | number } : never
type JsonIn<T> = T extends { content: { 'application/json': infer J } } ? J : undefined
type BodyOf<O> = O extends { requestBody: infer B } ? JsonIn<B> : never
type AnswerOf<O> = O extends { responses: infer R } ? JsonIn<R[keyof R & (200 | 201 | 202)]> : never

export type Query = Record<string, string | number | boolean | null | undefined>
export type Parts = Record<string, string | number>

export type Asked<M extends Method, P extends keyof paths> = {
  query?: QueryOf<Operation<M, P>>
  signal?: AbortSignal | undefined
  headers?: Record<string, string>
} & ([PartsOf<Operation<M, P>>] extends [never] ? { path?: never } : { path: PartsOf<Operation<M, P>> }) &
  ([BodyOf<Operation<M, P>>] extends [never] ? { body?: never } : { body: BodyOf<Operation<M, P>> })

// What may be left out where a path has no parts and no body is wanted.
type Arguments<A> = object extends A ? [asked?: A] : [asked: A]

interface Plain {
  query?: Query
  path?: Parts
  body?: unknown
  signal?: AbortSignal | undefined
  headers?: Record<string, string>
  shows?: boolean // all that was heard, and what one did oneself
}

// Of a revision the slashes part it as they part the path; of all else they are part of a name.
const encoded = (name: string, value: string | number): string =>
  name === 'revision' ? String(value).split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value)

function addressOf(path: string, parts: Parts = {}, query: Query = {}): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '' && value !== false) words.set(name, String(value))
  const text = words.toString()
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encoded(name, parts[name]!))
  return text ? `${filled}?${text}` : filled
}

// Where the browser itself goes: pictures, downloads.
export const address = <P extends PathBy<'GET'>>(
  path: P,
  parts: PartsOf<Operation<'GET', P>>,
  query?: QueryOf<Operation<'GET', P>>,
): string => addressOf(path, parts as Parts, query as Query | undefined)

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

// The answer as it comes: texts and streams.
export function send<M extends Method, P extends PathBy<M>>(
  method: M,
  path: P,
  ...[asked]: Arguments<Asked<M, P>>
): Promise<Response> {
  return fetched(method, path, (asked ?? {}) as Plain)
}

const offsetHeader = 'X-Headrace-Offset'
const asksAgain = 1 // where an answer is older than what is heard joins to; then it is taken as it is

async function fetched(method: Method, path: string, asked: Plain): Promise<Response> {
  for (let times = 0; ; times++) {
    const response = await fetchedOnce(method, path, asked)
    const told = response.headers.get(offsetHeader)
    if (told === null) return response
    if (method !== 'GET') heard.told(Number(told))
    else if (!heard.shown(Number(told)) && times < asksAgain) continue
    return response
  }
}

async function fetchedOnce(method: Method, path: string, asked: Plain): Promise<Response> {
  const headers: Record<string, string> = { 'X-Requested-With': 'headrace-web', ...asked.headers }
  if (asked.shows && heard.upTo && !asked.query?.at) headers['X-Headrace-After'] = String(heard.upTo)
  const init: RequestInit = { method, headers, credentials: 'same-origin', redirect: 'follow' }
  if (asked.signal) init.signal = asked.signal
  if (asked.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    init.body = JSON.stringify(asked.body)
  }
  const address = addressOf(path, asked.path, asked.query)
  let response = asked.shows ? await early(address) : undefined
  asked.signal?.throwIfAborted()
  try {
    response ??= await fetch(address, init)
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
  const text = await textOf(response).catch(() => '')
  try {
    const { error } = JSON.parse(text) as { error: { code: ErrorCode; message: string } }
    return new ApiError(response.status, error.code, error.message)
  } catch {
    // No answer of the platform: a proxy's page, or the development server's when nobody is behind it.
    return new ApiError(response.status, response.status >= 500 ? 'offline' : 'invalid', text.slice(0, 200))
  }
}

// A reading shows all that was heard, and what one did oneself (docs/adr/0025-answers-say-what-they-show.md).
export async function ask<M extends Method, P extends PathBy<M>>(
  method: M,
  path: P,
  ...[asked]: Arguments<Asked<M, P>>
): Promise<AnswerOf<Operation<M, P>>> {
  const response = await fetched(method, path, { ...(asked as Plain | undefined), shows: method === 'GET' })
  const answer = response.status === 204 ? undefined : JSON.parse(await textOf(response))
  if (answer) offsets.set(answer, Number(response.headers.get(offsetHeader) ?? 0))
  return answer as AnswerOf<Operation<M, P>>
}

const offsets = new WeakMap<object, number>()
// Up to where an answer shows all events; 0: it does not say.
export const offsetOf = (answer: object): number => offsets.get(answer) ?? 0

// "team/hello" as the two parts of a path that it is.
export function named(repository: string): { owner: string; repo: string } {
  const slash = repository.indexOf('/')
  return { owner: repository.slice(0, slash), repo: repository.slice(slash + 1) }
}
