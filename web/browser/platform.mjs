// A real server on a folder of its own, with a repository and a clone of it.
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const binary = resolve(
  process.env.HEADRACE_BINARY ?? fileURLToPath(new URL('../../build/debug/headrace', import.meta.url)),
)
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds))

export async function eventually(what, look, patience = 30_000) {
  for (const until = Date.now() + patience; Date.now() < until; await pause(50)) {
    const found = await look()
    if (found) return found
  }
  throw new Error(`${what}: not within ${patience / 1000} s`)
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

export class Platform {
  static async begin(...options) {
    const platform = new Platform()
    platform.folder = mkdtempSync(join(tmpdir(), 'headrace-pages-'))
    platform.url = `http://127.0.0.1:${await freePort()}`
    await platform.start(...options)
    return platform
  }

  // The first start prints the one-time link.
  async start(...more) {
    const said = join(this.folder, 'said')
    const stream = openSync(said, 'w')
    const options = [
      '--data',
      this.data,
      '--listen',
      this.url.slice('http://'.length),
      '--label',
      'ubuntu-latest=host',
      ...more,
    ]
    this.server = spawn(binary, ['serve', ...options], { stdio: ['ignore', stream, stream], env: this.environment })
    await eventually('the server starts', async () => (await fetch(`${this.url}/readyz`).catch(() => null))?.ok)
    const printed = () => readFileSync(said, 'utf8').match(/http:\/\/\S+\/sign-in\S*#[\w-]+/)?.[0]
    this.link ??= await eventually('the link is printed', printed)
  }

  async kill() {
    const ended = new Promise((done) => this.server.once('exit', done))
    this.server.kill('SIGKILL')
    await ended
  }

  end() {
    this.headrace('down', '--data', this.data)
    rmSync(this.folder, { recursive: true, force: true })
  }

  get data() {
    return join(this.folder, 'data')
  }

  get environment() {
    return { PATH: process.env.PATH, HOME: this.folder, HEADRACE_URL: this.url, HEADRACE_TOKEN: this.token ?? '' }
  }

  headrace(...words) {
    return execFileSync(binary, words, { encoding: 'utf8', env: this.environment })
  }

  git(...words) {
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org']
    return execFileSync('git', [...identity, ...words], { cwd: this.clone, encoding: 'utf8', stdio: 'pipe' })
  }

  // Makes the repository, and a clone with these files that is not pushed yet.
  make(name, files) {
    this.headrace('repo', 'create', name)
    this.clone = join(this.folder, 'clone')
    mkdirSync(this.clone)
    this.git('init', '-q', '-b', 'main')
    this.git('remote', 'add', 'origin', `${this.url.replace('//', `//x:${this.token}@`)}/${name}.git`)
    this.write(files)
  }

  write(files) {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.clone, path)), { recursive: true })
      writeFileSync(join(this.clone, path), text)
    }
  }

  push(title) {
    this.git('add', '.')
    this.git('commit', '-q', '--allow-empty', '-m', title)
    this.git('push', '-q', 'origin', 'main')
  }
}
