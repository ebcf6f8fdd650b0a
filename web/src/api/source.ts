// What is in a repository: refs, commits, folders, files. Moments are for what the log knows (the repository, its refs);
// what git knows is asked by commit, which never changes.
import { address, ask, named, send } from './client'
import type { Moment } from './calls'
import type { Schemas } from './types'

type Signal = AbortSignal | undefined

export type RefRow = Schemas['Ref']
export type Tip = Schemas['Tip']
export type Person = Schemas['Person']
export type Commit = Schemas['Commit']
export type CommitPage = Schemas['CommitPage']
export type Entry = Schemas['Entry']
export type EntryKind = Entry['kind']
export type FileDiff = Schemas['FileDiff']
export type FileStatus = FileDiff['status']
export type Diff = Schemas['Diff']

export interface Blob {
  text: string // its first MiB
  binary: boolean
  size: number // of the whole, in bytes
  read: number // bytes of it that are here
  truncated: boolean
}

const home = '/api/v1/repositories/{owner}/{repo}'

export const showRepository = (repository: string, at: Moment, signal?: Signal) =>
  ask('GET', home, { path: named(repository), query: { at }, signal })

export const listRefs = (repository: string, commits: boolean, at: Moment, signal?: Signal) =>
  ask('GET', `${home}/refs`, { path: named(repository), query: { commits, at }, signal })

export const listCommits = (
  repository: string,
  wanted: { from: string; path?: string; skip?: number; limit?: number },
  signal?: Signal,
) => ask('GET', `${home}/commits`, { path: named(repository), query: wanted, signal })

export const showCommit = (repository: string, revision: string, path = '', signal?: Signal) =>
  ask('GET', `${home}/commits/{revision}`, { path: { ...named(repository), revision }, query: { path }, signal })

export const listFolder = (repository: string, revision: string, path: string, commits: boolean, signal?: Signal) =>
  ask('GET', `${home}/tree/{revision}`, {
    path: { ...named(repository), revision },
    query: { path, commits },
    signal,
  })

export async function readFile(repository: string, revision: string, path: string, signal?: Signal): Promise<Blob> {
  const asked = { path: { ...named(repository), revision }, query: { path }, signal }
  const response = await send('GET', `${home}/blob/{revision}`, asked)
  const bytes = new Uint8Array(await response.arrayBuffer())
  const size = Number(response.headers.get('X-Headrace-Size') ?? bytes.length)
  const binary = response.headers.get('Content-Type')?.startsWith('application/octet-stream') ?? false
  return {
    text: binary ? '' : new TextDecoder().decode(bytes),
    binary,
    size,
    read: bytes.length,
    truncated: bytes.length < size,
  }
}

// The file as it is, for <img> and for downloads.
export const rawAddress = (repository: string, revision: string, path: string, download = false): string =>
  address(`${home}/raw/{revision}`, { ...named(repository), revision }, { path, download })
