// pack.mjs DIST INTO: writes INTO/page_files.cc, which holds the files of DIST, each as it is and compressed; the server
// takes them by src/server/page_files.h.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { extname, join, resolve } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { policyOf } from './policy.mjs'

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
}

const [dist, into] = process.argv.slice(2).map((folder) => resolve(folder))

function filesBelow(folder, prefix = '') {
  return readdirSync(folder).flatMap((name) => {
    if (name.startsWith('.')) return []
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path, `${prefix}/${name}`) : [`${prefix}/${name}`]
  })
}

function compressed(content) {
  const { BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY } = constants
  return {
    gzip: gzipSync(content, { level: 9 }),
    brotli: brotliCompressSync(content, { params: { [BROTLI_PARAM_QUALITY]: BROTLI_MAX_QUALITY } }),
  }
}

const packed = join(into, 'packed')
rmSync(packed, { recursive: true, force: true })
mkdirSync(packed, { recursive: true })

const blobs = []
function blob(path) {
  const label = `headrace_page_${blobs.length}`
  blobs.push({ label, path })
  return `view(${label}, ${label}_end)`
}

// As the server finds them: by bytes.
const paths = filesBelow(dist).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
const rows = paths.map((path, index) => {
  const type = types[extname(path)]
  if (!type) throw new Error(`${path}: no media type is known for files of this kind; name it in build/pack.mjs.`)
  const content = readFileSync(join(dist, path))
  const views = [blob(join(dist, path))]
  for (const [coding, bytes] of Object.entries(compressed(content))) {
    if (bytes.length >= content.length) {
      views.push('{}')
      continue
    }
    const file = join(packed, `${index}.${coding}`)
    writeFileSync(file, bytes)
    views.push(blob(file))
  }
  const tag = createHash('sha256').update(content).digest('hex').slice(0, 20)
  return `    PageFile{${JSON.stringify(path)}, ${JSON.stringify(type)}, "\\"${tag}\\"", ${views.join(', ')}},`
})

// Each by itself: a compiler need not take a string longer than 65,536 bytes.
const assembly = blobs.map(
  ({ label, path }) =>
    `asm(R"(.pushsection .rodata
.hidden ${label}
.global ${label}
${label}:
.incbin ${JSON.stringify(path)}
.hidden ${label}_end
.global ${label}_end
${label}_end:
.popsection)");`,
)
writeFileSync(
  join(into, 'page_files.cc'),
  `// Made by web/build/pack.mjs.
#include "server/page_files.h"

${assembly.join('\n')}

extern "C" {
${blobs.map(({ label }) => `extern const char ${label}[], ${label}_end[];`).join('\n')}
}

namespace headrace::server {
namespace {
std::string_view view(const char* begin, const char* end) { return {begin, static_cast<size_t>(end - begin)}; }
}  // namespace

std::string_view page_policy() { return ${JSON.stringify(policyOf(readFileSync(join(dist, 'index.html'), 'utf8')))}; }

std::span<const PageFile> page_files() {
  static const PageFile files[] = {
${rows.join('\n')}
  };
  return files;
}

}  // namespace headrace::server
`,
)
