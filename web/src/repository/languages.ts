// Which languages the colours know, and by which names of files. Each comes when a file of it is first shown.
import type { LanguageFn } from 'highlight.js'

type Loader = () => Promise<{ default: LanguageFn }>

export const languages = {
  bash: () => import('highlight.js/lib/languages/bash'),
  c: () => import('highlight.js/lib/languages/c'),
  cmake: () => import('highlight.js/lib/languages/cmake'),
  cpp: () => import('highlight.js/lib/languages/cpp'),
  csharp: () => import('highlight.js/lib/languages/csharp'),
  css: () => import('highlight.js/lib/languages/css'),
  diff: () => import('highlight.js/lib/languages/diff'),
  dockerfile: () => import('highlight.js/lib/languages/dockerfile'),
  go: () => import('highlight.js/lib/languages/go'),
  ini: () => import('highlight.js/lib/languages/ini'),
  java: () => import('highlight.js/lib/languages/java'),
  javascript: () => import('highlight.js/lib/languages/javascript'),
  json: () => import('highlight.js/lib/languages/json'),
  kotlin: () => import('highlight.js/lib/languages/kotlin'),
  lua: () => import('highlight.js/lib/languages/lua'),
  makefile: () => import('highlight.js/lib/languages/makefile'),
  markdown: () => import('highlight.js/lib/languages/markdown'),
  nginx: () => import('highlight.js/lib/languages/nginx'),
  perl: () => import('highlight.js/lib/languages/perl'),
  php: () => import('highlight.js/lib/languages/php'),
  powershell: () => import('highlight.js/lib/languages/powershell'),
  protobuf: () => import('highlight.js/lib/languages/protobuf'),
  python: () => import('highlight.js/lib/languages/python'),
  r: () => import('highlight.js/lib/languages/r'),
  ruby: () => import('highlight.js/lib/languages/ruby'),
  rust: () => import('highlight.js/lib/languages/rust'),
  scala: () => import('highlight.js/lib/languages/scala'),
  sql: () => import('highlight.js/lib/languages/sql'),
  swift: () => import('highlight.js/lib/languages/swift'),
  typescript: () => import('highlight.js/lib/languages/typescript'),
  xml: () => import('highlight.js/lib/languages/xml'),
  yaml: () => import('highlight.js/lib/languages/yaml'),
} satisfies Record<string, Loader>

export const colouredMost = 300_000 // characters, some 100 ms; a longer file stays plain

export type Language = keyof typeof languages

// What a language has within it.
export const within: Partial<Record<Language, Language[]>> = {
  xml: ['css', 'javascript'],
  markdown: ['xml'],
  dockerfile: ['bash'],
}

const byExtension: Record<string, Language> = {
  ...all('bash', 'sh bash zsh ksh bats'),
  ...all('c', 'c'),
  ...all('cmake', 'cmake'),
  ...all('cpp', 'cc cpp cxx c++ h hh hpp hxx inl ipp cu'),
  ...all('csharp', 'cs'),
  ...all('css', 'css scss less'),
  ...all('diff', 'diff patch'),
  ...all('dockerfile', 'dockerfile'),
  ...all('go', 'go'),
  ...all('ini', 'ini toml cfg conf properties editorconfig gitconfig service'),
  ...all('java', 'java'),
  ...all('javascript', 'js mjs cjs jsx'),
  ...all('json', 'json jsonc json5 webmanifest ipynb'),
  ...all('kotlin', 'kt kts gradle'),
  ...all('lua', 'lua'),
  ...all('makefile', 'mk mak make'),
  ...all('markdown', 'md markdown'),
  ...all('nginx', 'nginx'),
  ...all('perl', 'pl pm'),
  ...all('php', 'php'),
  ...all('powershell', 'ps1 psm1'),
  ...all('protobuf', 'proto'),
  ...all('python', 'py pyi pyw'),
  ...all('r', 'r'),
  ...all('ruby', 'rb rake gemspec'),
  ...all('rust', 'rs'),
  ...all('scala', 'scala sbt'),
  ...all('sql', 'sql'),
  ...all('swift', 'swift'),
  ...all('typescript', 'ts tsx mts cts'),
  ...all('xml', 'xml html htm xhtml svg vue xsl xsd plist csproj'),
  ...all('yaml', 'yaml yml'),
}
const byName: Record<string, Language> = {
  makefile: 'makefile',
  gnumakefile: 'makefile',
  dockerfile: 'dockerfile',
  containerfile: 'dockerfile',
  'cmakelists.txt': 'cmake',
  gemfile: 'ruby',
  rakefile: 'ruby',
  '.bashrc': 'bash',
  '.profile': 'bash',
  '.clang-format': 'yaml',
  '.clang-tidy': 'yaml',
}

function all(language: Language, extensions: string): Record<string, Language> {
  return Object.fromEntries(extensions.split(' ').map((extension) => [extension, language]))
}

// By the name, or by a first line that names an interpreter.
export function languageOf(path: string, text = ''): Language | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const named = own(byName, name) ?? own(byExtension, name.slice(name.lastIndexOf('.') + 1))
  if (named) return named
  const interpreter = /^#!.*?\b(bash|sh|zsh|python|node|perl|ruby|lua|php)/.exec(text.slice(0, 200))?.[1]
  if (!interpreter) return undefined
  if (/sh$/.test(interpreter)) return 'bash'
  return interpreter === 'node' ? 'javascript' : (interpreter as Language)
}

const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

export const isMarkdown = (path: string): boolean => /\.(?:md|markdown)$/i.test(path)
export const isPicture = (path: string): boolean => /\.(?:png|jpe?g|gif|webp|avif|bmp|ico|svg)$/i.test(path)
// What introduces a folder, the best of them first.
export const isReadme = (name: string): boolean => /^readme(?:\.(?:md|markdown|txt))?$/i.test(name)
