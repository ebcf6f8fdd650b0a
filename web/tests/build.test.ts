// @vitest-environment node
// What is built: how much a first visit loads, and that the content security policy lets all of it work.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Manifest } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inlineScripts, policyOf } from '../build/policy.mjs'

const firstLoadMost = 150 * 1024
const folder = mkdtempSync(join(tmpdir(), 'headrace-web-'))
const read = (file: string) => readFileSync(join(folder, file))
const zipped = (file: string) => gzipSync(read(file), { level: 9 }).length
let manifest: Manifest
let html: string

beforeAll(async () => {
  process.env.NODE_ENV = 'production' // Vitest says test, and Vue would come with its help for developers
  await build({ logLevel: 'error', mode: 'production', build: { outDir: folder, emptyOutDir: true } })
  manifest = JSON.parse(read('.vite/manifest.json').toString()) as Manifest
  html = read('index.html').toString()
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

// A chunk with all that it imports from the start.
function withImports(name: string, found = new Set<string>()): Set<string> {
  const chunk = manifest[name]!
  if (found.has(chunk.file)) return found
  found.add(chunk.file)
  for (const css of chunk.css ?? []) found.add(css)
  for (const imported of chunk.imports ?? []) withImports(imported, found)
  return found
}

// The files that the page names.
const named = (text: string) =>
  new Set([...text.matchAll(/(?:src|href)="\/(assets\/[\w.-]+)"/g)].map(([, file]) => file!))
const opening = () => inlineScripts(html)[0]!

// Asked for as soon as the frame stands.
const atOnce = ['src/frame/TimeControl.vue', 'src/frame/PersonMenu.vue']

describe('the build', () => {
  it.each(['en', 'zh-CN'])('loads the list of runs in %s within 150 KiB, gzipped', (locale) => {
    const files = new Set([
      'index.html',
      ...named(html),
      ...withImports(`src/locales/${locale}/index.ts`),
      ...atOnce.flatMap((name) => [...withImports(name)]),
    ])
    const sizes = [...files].map((file) => [file, zipped(file)] as const)
    const total = sizes.reduce((sum, [, size]) => sum + size, 0)
    console.log(`first load, ${locale}: ${(total / 1024).toFixed(1)} KiB gzip in ${files.size} files`)
    expect(total).toBeLessThanOrEqual(firstLoadMost)
    expect(files.size).toBeLessThanOrEqual(15)
  })

  it('names each file by what is in it, but for the page itself', () => {
    const assets = readdirSync(join(folder, 'assets'))
    expect(assets.filter((name) => !/-[\w-]{8}\.(?:js|css|svg)$/.test(name))).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['.vite', 'assets', 'index.html'])
  })

  it('has nothing that the policy forbids', () => {
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+="/)
    expect(html.match(/<script>/g)).toHaveLength(1)
    const hash = createHash('sha256').update(opening()).digest('base64')
    expect(policyOf(html)).toContain(`script-src 'self' 'sha256-${hash}';`)
    expect(policyOf('<script src="/x.js"></script>')).toContain("script-src 'self';")
    const scripts = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'))
    for (const name of scripts) expect(read(`assets/${name}`).toString(), name).not.toMatch(/\bnew Function\(|\beval\(/)
    const styles = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.css'))
    for (const name of styles) expect(read(`assets/${name}`).toString(), name).not.toMatch(/url\((?!\/assets)|@import/)
  })

  it('opens a page by a script that blocks, before anything else', () => {
    const [first] = /<script[^>]*>/.exec(html)!
    expect(first).toBe('<script>')
    expect(opening()).toContain('headrace.theme')
    expect(opening().length).toBeLessThan(6_000)
  })

  it.each(['en', 'zh-CN'])('has that script ask for the texts in %s', (locale) => {
    const { file } = manifest[`src/locales/${locale}/index.ts`]!
    expect(opening()).toContain(`"/${file}"`)
  })

  it.each([
    ['run', 4],
    ['repository', 3],
    ['events', 3],
  ])(
    'has that script ask for what the page of %s is made of, in few files, but not for what every page loads',
    (part, most) => {
      const lists = [...opening().matchAll(/files:\[([^\]]*)\]/g)].map(([, list]) =>
        list!.replaceAll('"', '').split(','),
      )
      const page = lists.find((list) => list.some((file) => file.startsWith(`/assets/${part}-`)))!
      expect(page.length).toBeLessThanOrEqual(most)
      for (const file of named(html)) expect(page).not.toContain(`/${file}`)
    },
  )
})
