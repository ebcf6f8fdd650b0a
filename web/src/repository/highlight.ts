// Colours of code: lines of pieces of text, each with a role of tokens.css or none. Written as text, never as HTML.
import highlighter from 'highlight.js/lib/core'
import { languages, within, type Language } from './languages'

export type Role = 'keyword' | 'string' | 'number' | 'type' | 'function' | 'comment'
export interface Piece {
  text: string
  role: Role | undefined
}
export type Line = Piece[]

const roles: [RegExp, Role][] = [
  [/hljs-(?:comment|quote|deletion)\b/, 'comment'],
  [/hljs-(?:keyword|selector-tag|meta|section|name|doctag)\b/, 'keyword'],
  [/hljs-(?:string|regexp|char|symbol|link|addition|selector-attr)\b/, 'string'],
  [/hljs-(?:number|literal|bullet)\b/, 'number'],
  [/hljs-(?:type|built_in|class|selector-class|selector-id|selector-pseudo)\b|\bclass_/, 'type'],
  [/hljs-(?:title|attr|attribute|function|property)\b|\bfunction_/, 'function'],
]
const roleOf = (names: string): Role | undefined => roles.find(([pattern]) => pattern.test(names))?.[1]

const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#x27;': "'" }
const plain = (text: string) => text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => entities[entity]!)

// highlight.js gives text and spans, and nothing else.
export function piecesOf(html: string): Line[] {
  const lines: Line[] = [[]]
  const open: (Role | undefined)[] = []
  for (const [token, names] of html.matchAll(/<span class="([^"]*)">|<\/span>|[^<]+/g)) {
    if (names !== undefined) open.push(roleOf(names) ?? open.at(-1))
    else if (token === '</span>') open.pop()
    else
      plain(token)
        .split('\n')
        .forEach((text, index) => {
          if (index > 0) lines.push([])
          if (text) lines.at(-1)!.push({ text, role: open.at(-1) })
        })
  }
  return lines
}

async function learn(language: Language): Promise<void> {
  if (highlighter.getLanguage(language)) return
  const [{ default: grammar }] = await Promise.all([languages[language](), ...(within[language] ?? []).map(learn)])
  highlighter.registerLanguage(language, grammar)
}

export async function coloured(text: string, language: Language): Promise<Line[]> {
  await learn(language)
  return piecesOf(highlighter.highlight(text, { language, ignoreIllegals: true }).value)
}
