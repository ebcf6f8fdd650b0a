import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transformWithEsbuild, type Plugin, type Rollup } from 'vite'
import { openingPages } from './opening_pages'

const source = fileURLToPath(new URL('./opening.js', import.meta.url))

type Bundle = Rollup.OutputBundle
interface First {
  texts: Record<string, string> // by locale
  pages: { path: string; files: string[]; asks: string[] }[]
}

async function scriptFor(first: First): Promise<string> {
  const text = readFileSync(source, 'utf8').replace(/\bFIRST\)\s*$/, () => `${JSON.stringify(first)})\n`)
  const { code } = await transformWithEsbuild(text, 'opening.js', { minify: true, target: 'es2022' })
  if (code.includes('</script')) throw new Error('The opening script would end where it stands in the page.')
  return code.trim()
}

const chunksOf = (bundle: Bundle) =>
  Object.values(bundle).filter((file): file is Rollup.OutputChunk => file.type === 'chunk')

function chunkOf(bundle: Bundle, module: string): Rollup.OutputChunk {
  const found = chunksOf(bundle).find((chunk) => chunk.moduleIds.some((id) => id.endsWith(module)))
  if (!found) throw new Error(`There is no chunk of ${module} in the bundle.`)
  return found
}

// A chunk, what it imports from the start, and their styles.
function filesOf(bundle: Bundle, chunk: Rollup.OutputChunk, found = new Set<string>()): Set<string> {
  if (found.has(chunk.fileName)) return found
  found.add(chunk.fileName)
  chunk.viteMetadata?.importedCss.forEach((style) => found.add(style))
  for (const name of chunk.imports) filesOf(bundle, bundle[name] as Rollup.OutputChunk, found)
  return found
}

function firstOf(bundle: Bundle): First {
  const shell = chunksOf(bundle).find((chunk) => chunk.isEntry)
  if (!shell) throw new Error('The bundle has no entry.')
  const loadedAnyway = filesOf(bundle, shell)
  const texts = ['en', 'zh-CN'].map(
    (locale) => [locale, `/${chunkOf(bundle, `/locales/${locale}/index.ts`).fileName}`] as const,
  )
  const pages = openingPages.map(({ path, views, asks }) => {
    const files = views.flatMap((view) => [...filesOf(bundle, chunkOf(bundle, `/views/${view}.vue`))])
    const own = [...new Set(files)].filter((file) => !loadedAnyway.has(file))
    return { path, files: own.map((file) => `/${file}`), asks }
  })
  return { texts: Object.fromEntries(texts), pages }
}

// The script that opens a page. It stands in the page, first of all, and the content security policy knows it by its hash
// (policy.mjs): as a file of its own it was waited for, and as a module it would run too late.
export function openingScript(): Plugin {
  return {
    name: 'headrace-opening-script',
    transformIndexHtml: {
      order: 'post',
      async handler(_html, context) {
        const first = context.bundle ? firstOf(context.bundle) : { texts: {}, pages: [] }
        return [{ tag: 'script', children: await scriptFor(first), injectTo: 'head-prepend' }]
      },
    },
  }
}
