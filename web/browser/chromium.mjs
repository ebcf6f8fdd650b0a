// Debian's chromium, and what is wrong with a page that it shows: errors of scripts, violations of the content security
// policy, findings of axe, and a page that is wider than its screen.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const kinds = [
  { name: 'light', theme: 'light', locale: 'en', width: 1280, height: 800 },
  { name: 'dark-zh', theme: 'dark', locale: 'zh-CN', width: 1280, height: 800 },
  { name: 'narrow', theme: 'light', locale: 'en', width: 390, height: 800 },
]

export async function openBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'headrace-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
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
  const close = async () => {
    await context.close()
    rmSync(profile, { recursive: true, force: true })
  }
  return { context, close }
}

// A page of one of the kinds; `complain` is called with a sentence for whatever is wrong while it is open.
export async function openPage(context, kind, complain) {
  const page = await context.newPage()
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
  page.on('console', (message) => {
    if (message.type() === 'error') complain(`console: ${message.text()} ${message.location().url}`)
  })
  return page
}

// Milliseconds until what is wanted of a page can be seen and used, with nothing kept by the browser.
export async function usableAfter(context, url, mark, complain) {
  const page = await openPage(context, kinds[0], complain)
  await (await context.newCDPSession(page)).send('Network.clearBrowserCache')
  await page.addInitScript((selector) => {
    const watch = new MutationObserver(() => {
      if (globalThis.usable || !document.querySelector(selector)) return
      globalThis.usable = performance.now()
      watch.disconnect()
    })
    watch.observe(document, { childList: true, subtree: true })
  }, mark)
  await page.goto(url)
  const usable = await page.waitForFunction(() => globalThis.usable)
  const after = await usable.jsonValue()
  await page.close()
  return after
}

export async function faultsOf(page) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run({ resultTypes: ['violations'] }))
  const faults = found.violations.map((violation) => {
    const places = violation.nodes.map((node) => node.target.join(' ')).slice(0, 3)
    return `axe: ${violation.id}: ${violation.help}: ${places.join(' | ')}`
  })
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  if (sideways > 0) faults.push(`wider than the screen by ${sideways} px`)
  return faults
}
