// Pictures of pages from a server that runs: what a person sees, in both themes and languages and on a narrow screen.
//   HEADRACE_LOOK=http://127.0.0.1:4173 npm run look -- [--out FOLDER] [--only KIND] [--wait MILLISECONDS] PAGE=PATH...
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { faultsOf, kinds, openBrowser, openPage } from './chromium.mjs'

const base = process.env.HEADRACE_LOOK ?? 'http://127.0.0.1:4173'
const words = process.argv.slice(2)
const take = (name, otherwise) => {
  const at = words.indexOf(name)
  return at < 0 ? otherwise : words.splice(at, 2)[1]
}
const out = take('--out', 'browser/pictures')
const only = take('--only', '')
const wait = Number(take('--wait', '1200'))

const browser = await openBrowser()
mkdirSync(out, { recursive: true })
let wrong = 0
const complain = (text) => {
  wrong++
  console.log(`  ${text}`)
}

for (const kind of kinds.filter((one) => !only || one.name === only))
  for (const word of words) {
    const name = word.slice(0, word.indexOf('='))
    const page = await openPage(browser.context, kind, complain)
    console.log(`${name} ${kind.name}`)
    await page.goto(base + word.slice(word.indexOf('=') + 1))
    await page.waitForTimeout(wait)
    await page.screenshot({ path: join(out, `${name}-${kind.name}.png`) })
    for (const fault of await faultsOf(page)) complain(fault)
    await page.close()
  }
await browser.close()
console.log(wrong ? `${wrong} complaints` : 'nothing to complain of')
process.exitCode = wrong ? 1 : 0
