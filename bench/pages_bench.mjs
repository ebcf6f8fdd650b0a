// How soon pages can be used, and what Lighthouse says of them: the real program, Debian's chromium. A run of 20 jobs and 40
// runs beside it are there. What an empty page of a server of ten lines takes is the part that no page can go below. Lines on standard output as bench/report.h has them. HEADRACE_BINARY names the binary,
// HEADRACE_BENCH_LIGHTHOUSE Lighthouse; without it its rows are not taken.
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { openBrowser, usableAfter } from '../web/browser/chromium.mjs'
import { eventually, Platform } from '../web/browser/platform.mjs'

const times = 9
const workflow = `on: push
jobs:
  test:
    strategy: {matrix: {n: [${Array.from({ length: 20 }, (_, n) => n).join(', ')}]}}
    runs-on: ubuntu-latest
    steps:
      - run: echo "<testsuite><testcase classname='Cart' name='adds \${{ matrix.n }}'/></testsuite>" > "$HEADRACE_REPORTS/unit.xml"
`

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
const complain = (text) => process.stderr.write(`${text}\n`)

function row(figure, ours, target, reached, note = '', reference = '') {
  console.log(`row|${figure}|${ours}|${reference}||${target}|${reached ? 'reached' : 'MISSED'}|${note}`)
}

// Milliseconds until a page without a script stands.
async function emptyPage(browser) {
  const server = createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html')
    answer.end('<!doctype html><title>Empty</title><main><h1>Empty</h1></main>')
  })
  await new Promise((listens) => server.listen(0, '127.0.0.1', listens))
  const took = []
  for (let n = 0; n < times; n++)
    took.push(await usableAfter(browser.context, `http://127.0.0.1:${server.address().port}/`, 'main h1', () => {}))
  server.close()
  return Math.round(median(took))
}

async function signIn(browser, platform) {
  const page = await browser.context.newPage()
  await page.goto(platform.link)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('No repositories yet').waitFor()
  const made = await page.request.post(`${platform.url}/api/v1/tokens`, {
    data: { name: 'bench', days: 1 },
    headers: { 'X-Requested-With': 'headrace-web' },
  })
  platform.token = (await made.json()).token
  await page.close()
}

const runsOf = async (platform) =>
  (
    await (
      await fetch(`${platform.url}/api/v1/runs?limit=50`, {
        headers: { Authorization: `Bearer ${platform.token}` },
      })
    ).json()
  ).runs

// 41 runs, the newest with 20 jobs and their tests.
async function fill(platform) {
  platform.make('team/shop', {
    '.github/workflows/ci.yml': 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [run: "true"]}}\n',
  })
  for (let n = 0; n < 40; n++) platform.push(`cart: change ${n}`)
  platform.write({
    '.github/workflows/ci.yml': workflow,
    'README.md': '# Shop\n\nWhat it *sells*.\n',
  })
  platform.push('cart: test it well')
  await eventually(
    'all runs end',
    async () => {
      const runs = await runsOf(platform)
      return runs.length === 41 && runs.every((run) => run.status === 'completed')
    },
    120_000,
  )
}

async function soon(browser, platform, run) {
  const pages = [
    ['runs', '/runs', 'main a.row-link'],
    ['a run of 20 jobs', `/team/shop/runs/${run}`, 'main .badge'],
    ['a repository', '/team/shop', 'main .files a'],
    ['events', '/events', 'main a[href^="/events/"]'],
  ]
  const empty = await emptyPage(browser)
  for (const [name, path, mark] of pages) {
    const took = []
    for (let n = 0; n < times; n++) took.push(await usableAfter(browser.context, platform.url + path, mark, complain))
    const milliseconds = Math.round(median(took))
    row(
      `${name}: usable, cold cache, p50`,
      `${milliseconds} ms`,
      '<= 300 ms',
      milliseconds <= 300,
      `${times} times`,
      `${empty} ms an empty page`,
    )
  }
}

// Desktop, as Lighthouse presets it.
function judged(platform, cookie, run) {
  const lighthouse = process.env.HEADRACE_BENCH_LIGHTHOUSE
  if (!lighthouse) return console.log('skip|Lighthouse|npm could not fetch it')
  const pages = {
    runs: '/runs',
    'a run': `/team/shop/runs/${run}`,
    'a repository': '/team/shop',
    events: '/events',
  }
  const categories = ['performance', 'accessibility', 'best-practices']
  for (const [name, path] of Object.entries(pages)) {
    const said = execFileSync(
      lighthouse,
      [
        platform.url + path,
        '--quiet',
        '--output=json',
        '--preset=desktop',
        `--only-categories=${categories}`,
        `--extra-headers=${JSON.stringify({ Cookie: `${cookie.name}=${cookie.value}` })}`,
        '--chrome-flags=--headless=new --no-sandbox --disable-gpu',
      ],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
        env: {
          ...process.env,
          CHROME_PATH: process.env.CHROMIUM ?? '/usr/bin/chromium',
        },
      },
    )
    const report = JSON.parse(said)
    const scores = categories.map((one) => Math.round(report.categories[one].score * 100))
    const reached = scores.every((one) => one >= 95)
    row(
      `${name}: Lighthouse ${report.lighthouseVersion}, performance / accessibility / best practices`,
      scores.join(' / '),
      '>= 95',
      reached,
    )
  }
}

const platform = await Platform.begin()
const browser = await openBrowser()
try {
  await signIn(browser, platform)
  await fill(platform)
  const run = (await runsOf(platform))[0].id
  await soon(browser, platform, run)
  const [cookie] = (await browser.context.cookies()).filter((one) => one.name === 'headrace_session')
  judged(platform, cookie, run)
} finally {
  await browser.close()
  platform.end()
}
