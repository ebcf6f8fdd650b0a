// Pictures of the pages, taken by Debian's chromium from a server that runs: what a person sees, in both themes and
// languages and on a narrow screen. It fails on a violation of the content security policy, on an error in the page and
// on what axe finds.
//   HEADRACE_LOOK=http://127.0.0.1:4173 npm run look -- [--out FOLDER] [--only NAME] PAGE=PATH...
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const base = process.env.HEADRACE_LOOK ?? 'http://127.0.0.1:4173'
const words = process.argv.slice(2)
const take = (name, otherwise) => {
  const at = words.indexOf(name)
  return at < 0 ? otherwise : words.splice(at, 2)[1]
}
const out = take('--out', 'look/pictures')
const only = take('--only', '')
const wait = Number(take('--wait', '1200'))
const pages = words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const kinds = [
  { name: 'light', theme: 'light', locale: 'en', width: 1280, height: 800 },
  { name: 'dark-zh', theme: 'dark', locale: 'zh-CN', width: 1280, height: 800 },
  { name: 'narrow', theme: 'light', locale: 'en', width: 390, height: 800 },
].filter((kind) => !only || kind.name === only)

const profile = mkdtempSync(join(tmpdir(), 'headrace-look-'))
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  bypassCSP: false,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
})
mkdirSync(out, { recursive: true })
let wrong = 0
const complain = (text) => {
  wrong++
  console.log(`  ${text}`)
}

for (const kind of kinds)
  for (const [name, path] of pages) {
    const page = await browser.newPage()
    await page.setViewportSize({ width: kind.width, height: kind.height })
    await page.addInitScript(
      ([theme, locale]) => {
        localStorage.setItem('headrace.theme', theme)
        localStorage.setItem('headrace.locale', locale)
        addEventListener('securitypolicyviolation', (event) =>
          console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
        )
      },
      [kind.theme, kind.locale],
    )
    page.on('pageerror', (error) => complain(`error: ${error.message}`))
    page.on(
      'console',
      (message) => message.type() === 'error' && complain(`console: ${message.text()} ${message.location().url}`),
    )
    console.log(`${name} ${kind.name}`)
    await page.goto(base + path)
    await page.waitForTimeout(wait)
    await page.screenshot({ path: join(out, `${name}-${kind.name}.png`) })
    await page.evaluate(axe)
    const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
    for (const violation of found.violations)
      complain(
        `axe: ${violation.id}: ${violation.help}: ${violation.nodes
          .map((node) => node.target.join(' '))
          .slice(0, 3)
          .join(' | ')}`,
      )
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (sideways > 0) complain(`wider than the screen by ${sideways} px`)
    await page.close()
  }
await browser.close()
rmSync(profile, { recursive: true, force: true })
console.log(wrong ? `${wrong} complaints` : 'nothing to complain of')
process.exitCode = wrong ? 1 : 0
