// The first three minutes: the link that `serve --demo` prints leads to the first run of the demo, and what there is to try
// ticks itself as it is tried, with nothing but the pages and the commands they give.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { faultsOf, kinds, openBrowser, openPage } from './chromium.mjs'
import { eventually, Platform } from './platform.mjs'

const patience = 120_000 // five builds of a small program, on a machine that is busy
let platform, browser, page
const complaints = []

before(async () => {
  platform = await Platform.begin('--demo')
  browser = await openBrowser()
  page = await openPage(browser.context, kinds[0], (text) => complaints.push(text))
  page.setDefaultTimeout(patience)
})
after(async () => {
  await browser?.close()
  platform?.end()
})

const done = (title) => page.locator('.tries li.done', { hasText: title }).waitFor()

test('the link leads to the first run of the demo, which passes within a minute or so', async () => {
  assert.match(platform.link, /\/sign-in\?next=\/demo\/shop\/runs\/\d+#[\w-]+$/)
  await page.goto(platform.link)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Build and test with every push' }).waitFor()
  await page.getByRole('complementary', { name: 'Try this' }).waitFor()
  await page.locator('header.head', { hasText: 'Passed' }).waitFor()
  assert.deepEqual(await faultsOf(page), [])
  await page.setViewportSize({ width: kinds[2].width, height: kinds[2].height })
  assert.deepEqual(await faultsOf(page), [])
  await page.setViewportSize({ width: kinds[0].width, height: kinds[0].height })
})

test('the commands of the page break a test, the page shows which, and each thing tried is ticked', async () => {
  await page.getByRole('button', { name: 'Make the commands' }).click()
  const commands = await page.locator('.tries .command').textContent()
  execFileSync('bash', ['-euc', commands], {
    cwd: platform.folder,
    env: { PATH: process.env.PATH, HOME: platform.folder },
    stdio: 'pipe',
  })
  await done('Break a test and push')
  await page.getByRole('link', { name: 'the runs of the demo' }).click()
  await page
    .getByRole('row', { name: /Failed/ })
    .getByRole('link')
    .first()
    .click()
  await page.getByText('expected 24.34, got').first().waitFor()
  await done('Find the failing test')
  await page.getByRole('button', { name: 'Why?' }).click()
  await done('Ask why')
  const { log } = await (await page.request.get(`${platform.url}/api/v1/status`)).json()
  await page.goto(`${platform.url}/runs?repo=demo/shop&at=${log.durable - 1}`)
  await done('Go back five minutes')
  await page.getByText('That is all of it').waitFor()
  const forgiven = complaints.filter((text) => !text.includes('401'))
  assert.deepEqual(forgiven, [])
})

test('it is made once: a second start prints nothing anew, and the demo is as it was left', async () => {
  const runs = async () =>
    (await (await page.request.get(`${platform.url}/api/v1/runs?repository=demo/shop`)).json()).runs.length
  const before = await runs()
  await platform.kill()
  await platform.start('--demo')
  await eventually('the same runs', async () => (await runs().catch(() => -1)) === before)
})
