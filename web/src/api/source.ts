// What is in a repository: refs, commits, folders, files. Moments are for what the log knows (the repository, its refs);
// what git knows is asked by commit, which never changes.
import { address, ask, send } from './client'
import type { Moment } from './calls'
import type { Repository } from './types'

type Signal = AbortSignal | undefined

export interface Tip {
  commit: string
  title: string
  author: string
  date: string
}
export interface RefRow {
  ref: string // full
  commit: string
  tip?: Tip | null // null: its commit is no longer there, or there are too many refs
}

export interface Person {
  name: string
  email: string
  date: string
}
export interface Commit {
  commit: string
  tree: string
  parents: string[]
  author: Person
  committer: Person
  message: string
}
export interface CommitPage {
  commits: Commit[]
  next: number | null
}

export type EntryKind = 'file' | 'executable' | 'link' | 'tree' | 'submodule'
export interface Entry {
  name: string
  kind: EntryKind
  id: string
  size: number | null
}

export type FileStatus = 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed'
export interface FileDiff {
  status: FileStatus
  old_path: string
  new_path: string
  additions: number
  deletions: number
  binary: boolean
  cut: boolean // its patch was left out, for it or those before it are long
  patch: string
}
export interface Diff {
  files: FileDiff[]
  files_total?: number
  additions: number
  deletions: number
  truncated: boolean
}

export interface Blob {
  text: string // its first MiB
  binary: boolean
  size: number // of the whole, in bytes
  read: number // bytes of it that are here
  truncated: boolean
}

// Each part of a revision or path is encoded, its slashes are not: the server takes what is left of the address.
const encoded = (revision: string): string => revision.split('/').map(encodeURIComponent).join('/')
const home = (repository: string): string => `/v1/repositories/${encoded(repository)}`

export const showRepository = (repository: string, at: Moment, signal?: Signal) =>
  ask<Repository>(home(repository), { query: { at }, signal })

export const listRefs = (repository: string, commits: boolean, at: Moment, signal?: Signal) =>
  ask<{ refs: RefRow[] }>(`${home(repository)}/refs`, { query: { commits, at }, signal })

export const listCommits = (
  repository: string,
  wanted: { from: string; path?: string; skip?: number; limit?: number },
  signal?: Signal,
) => ask<CommitPage>(`${home(repository)}/commits`, { query: { ...wanted }, signal })

export const showCommit = (repository: string, revision: string, path = '', signal?: Signal) =>
  ask<Commit & { diff: Diff }>(`${home(repository)}/commits/${encoded(revision)}`, { query: { path }, signal })

export const listFolder = (repository: string, revision: string, path: string, signal?: Signal) =>
  ask<{ entries: Entry[] }>(`${home(repository)}/tree/${encoded(revision)}`, { query: { path }, signal })

export async function readFile(repository: string, revision: string, path: string, signal?: Signal): Promise<Blob> {
  const response = await send(`${home(repository)}/blob/${encoded(revision)}`, { query: { path }, signal })
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
  address(`${home(repository)}/raw/${encoded(revision)}`, { path, download })
