// Names of branches and tags as addresses have them. A name may hold slashes, so where it ends is told by the names that
// there are; what is asked of git is always the commit that the name stands for, now or at the moment that is shown.
import type { RefRow } from '@/api/source'

export type RefKind = 'branch' | 'tag' | 'commit'

export interface KnownRef {
  kind: 'branch' | 'tag'
  name: string // short: feature/x
  word: string // what addresses have: the short name, or the full one where the short name means something else
  row: RefRow
}

export interface Place {
  kind: RefKind
  name: string // "main", "v1", or a commit's digits
  word: string // as in the address
  commit: string
  path: string // behind it: src/cart.cc
}

const heads = 'refs/heads/'
const tags = 'refs/tags/'
const digits = /^[0-9a-f]{7,40}$/i
const wholeId = /^[0-9a-f]{40}$/i

export class Refs {
  readonly branches: KnownRef[]
  readonly tags: KnownRef[]
  private readonly byName = new Map<string, KnownRef>()

  constructor(rows: readonly RefRow[]) {
    const of = (prefix: string) => rows.filter((row) => row.ref.startsWith(prefix))
    // As the server has it: a whole id goes before any name, a branch before a tag.
    this.branches = of(heads).map((row) => this.known('branch', heads, row))
    this.tags = of(tags).map((row) => this.known('tag', tags, row))
  }

  get none(): boolean {
    return this.branches.length === 0 && this.tags.length === 0
  }

  find(name: string): KnownRef | undefined {
    return this.byName.get(name)
  }
  branch(name: string): KnownRef | undefined {
    return this.byName.get(heads + name)
  }

  // Of `feature/x/src/a.cc` the longest name that there is, and the path behind it.
  place(segments: readonly string[]): Place | undefined {
    for (let end = segments.length; end > 0; end--) {
      const word = segments.slice(0, end).join('/')
      const path = segments.slice(end).join('/')
      if (end === 1 && wholeId.test(word)) return commitPlace(word, path)
      const known = this.find(word)
      if (known) return { kind: known.kind, name: known.name, word, commit: known.row.commit, path }
    }
    const first = segments[0] ?? ''
    return digits.test(first) ? commitPlace(first, segments.slice(1).join('/')) : undefined
  }

  private known(kind: 'branch' | 'tag', prefix: string, row: RefRow): KnownRef {
    const name = row.ref.slice(prefix.length)
    const taken = this.byName.has(name) || wholeId.test(name)
    const known: KnownRef = { kind, name, word: taken ? row.ref : name, row }
    this.byName.set(row.ref, known)
    if (!taken) this.byName.set(name, known)
    return known
  }
}

function commitPlace(id: string, path: string): Place {
  const commit = id.toLowerCase()
  return { kind: 'commit', name: commit.slice(0, 10), word: commit, commit, path }
}

// What stands behind a reference within a repository: from the folder of the file that has it, or from the root.
// Nothing where it leads out.
export function inside(folder: string, href: string): { path: string; rest: string } | undefined {
  if (/^(?:[a-z][a-z\d+.-]*:|\/\/|#)/i.test(href)) return undefined
  const [, written, rest] = /^([^?#]*)(.*)$/s.exec(href)!
  let words: string
  try {
    words = decodeURIComponent(written!)
  } catch {
    return undefined
  }
  const path: string[] = words.startsWith('/') ? [] : folder.split('/').filter(Boolean)
  for (const word of words.split('/')) {
    if (word === '..') {
      if (path.length === 0) return undefined
      path.pop()
    } else if (word && word !== '.') path.push(word)
  }
  return { path: path.join('/'), rest: rest!.replace(/^\?[^#]*/, '') }
}

export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
