// What goes wrong between people and a server: a slow line, a log that is written faster than anybody reads, a session that
// has ended. Each is shown for what it is, and nothing is lost by it.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { kinds, openBrowser, openPage } from './chromium.mjs'
import { eventually, Platform } from './platform.mjs'

const floods = 30 // of 5 MB, ten a second at most: twice what a page holds of a log
const floodLines = 50_000
const workflow = `on: push
jobs:
  flood:
    runs-on: ubuntu-latest
    env: {GO: GO_FILE}
    steps:
      - name: Write 50 MB a second
        run: |
          echo first
          yes "$(printf 'x%.0s' $(seq 99))" | head -c 5000000 > lines
          until [ -e "$GO" ]; do sleep 0.1; done
          for n in $(seq ${floods}); do cat lines; sleep 0.1; done
          echo last
`

let platform, browser, page
let complaints = []

before(async () => {
  platform = await Platform.begin()
  browser = await openBrowser()
  page = await openPage(browser.context, kinds[0], (text) => complaints.push(text))
  await page.goto(platform.link)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No repositories yet').waitFor()
  const made = await page.request.post(`${platform.url}/api/v1/tokens`, {
    data: { name: 'story', days: 1 },
    headers: { 'X-Requested-With': 'headrace-web' },
  })
  platform.token = (await made.json()).token
  complaints = complaints.filter((text) => !text.includes('401'))
})
after(async () => {
  await browser?.close()
  platform?.end()
})
afterEach(() => {
  const found = complaints
  complaints = []
  assert.deepEqual(found, [])
})

test('on a slow line the page says that it comes, then that it loads, then it is there', async () => {
  const line = await browser.context.newCDPSession(page)
  await line.send('Network.enable')
  await line.send('Network.clearBrowserCache')
  const slow = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 20_000 }
  await line.send('Network.emulateNetworkConditions', slow)
  const shown = []
  await page.exposeFunction('tellOf', (what) => shown.push(what))
  await page.addInitScript(() => {
    const marks = {
      opening: '.opening',
      loading: '[role="progressbar"]',
      there: 'main .state, main a.row-link, main .empty',
    }
    const watch = new MutationObserver(() => {
      for (const [name, selector] of Object.entries(marks))
        if (document.querySelector(selector)) {
          globalThis.tellOf(name)
          delete marks[name]
        }
    })
    watch.observe(document, { childList: true, subtree: true })
  })
  await page.goto(`${platform.url}/runs`)
  await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor()
  await eventually('the runs are there', () => shown.includes('there'))
  assert.deepEqual(shown, ['opening', 'loading', 'there'])
  await line.send('Network.emulateNetworkConditions', {
    ...slow,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: -1,
  })
})

const api = async (path) => (await page.request.get(`${platform.url}/api/v1${path}`)).json()

// Whole lines of floods that the plain text of the log holds.
async function linesOfFlood(job) {
  const response = await fetch(`${platform.url}/api/v1/jobs/${job}/log`, {
    headers: { Authorization: `Bearer ${platform.token}` },
  })
  let rest = ''
  let count = 0
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop()
    for (const line of lines) if (line.endsWith(`1 ${'x'.repeat(99)}`)) count++
  }
  return count
}

test('a log that is written at 50 MB a second leaves the page at work, and none of it is lost', async (context) => {
  const go = join(platform.folder, 'go')
  platform.make('team/flood', { '.github/workflows/ci.yml': workflow.replace('GO_FILE', go) })
  platform.push('flood')
  const [run] = await eventually('the job runs', async () => {
    const { runs } = await api('/runs')
    return runs[0]?.jobs[0]?.status === 'in_progress' && runs
  })
  const job = run.jobs[0]
  await page.goto(`${platform.url}/team/flood/runs/${run.id}/jobs/${job.id}`)
  await page.getByText('first', { exact: true }).waitFor()
  await page.evaluate(() => {
    globalThis.longest = 0
    const since = (before) =>
      requestAnimationFrame((now) => {
        globalThis.longest = Math.max(globalThis.longest, now - before)
        since(now)
      })
    since(performance.now())
  })
  writeFileSync(go, '')
  const began = Date.now()
  // Who follows sees the end of it, however long it grows.
  await page.getByText('Of this long log the end is shown and searched, from line').waitFor()
  const shownAfter = Date.now() - began
  const longest = await page.evaluate(() => globalThis.longest)
  await eventually('the run ends', async () => (await api(`/runs/${run.id}`)).status === 'completed', 120_000)
  const seconds = (Date.now() - began) / 1000
  await page.getByText('last', { exact: true }).waitFor()
  const lines = floods * floodLines + 2 // and those of the runner
  const numbers = await page.locator('.view .no').evaluateAll((all) => all.map((one) => Number(one.dataset.number)))
  assert.ok(Math.max(...numbers) >= lines, `line ${Math.max(...numbers)} of ${lines} is the last that is shown`)
  await page.getByRole('textbox', { name: 'Search the log' }).fill('last')
  await page.getByText('1 of 1 lines').waitFor()

  // Whoever comes later is shown the end at once, and a line of it by its address.
  await page.goto(`${platform.url}/team/flood/runs/${run.id}/jobs/${job.id}#s1-L${lines}`)
  await page.locator('.marked').waitFor()
  context.diagnostic(
    `more than 64 MiB of log followed ${shownAfter} ms after they began to come, longest frame ${Math.round(longest)} ms; ` +
      `${floods * 5} MB were written in ${seconds.toFixed(1)} s`,
  )
  assert.equal((await api(`/runs/${run.id}`)).conclusion, 'success')
  assert.equal(await linesOfFlood(job.job), floods * floodLines)
})

test('a session that has ended asks to sign in again, and what was being done goes on', async () => {
  await page.goto(`${platform.url}/runs?result=failed`)
  await page.getByRole('heading', { name: 'Runs' }).waitFor()
  const { tokens } = await (
    await fetch(`${platform.url}/api/v1/tokens`, { headers: { Authorization: `Bearer ${platform.token}` } })
  ).json()
  for (const { id } of tokens.filter((one) => one.name === 'a browser'))
    await fetch(`${platform.url}/api/v1/tokens/${id}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${platform.token}` },
    })
  await page.getByRole('link', { name: 'Status' }).first().click()
  const again = page.getByRole('dialog')
  await again.getByText('Sign in again').first().waitFor()
  await again.getByRole('textbox').first().fill(platform.token)
  await again.getByRole('button', { name: 'Sign in' }).click()
  await again.waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).pathname, '/status')
  await page.getByRole('heading', { name: 'Runners' }).waitFor()
  complaints = complaints.filter((text) => !text.includes('401'))
})
