// Part by part what actions do with the toolkit; whatever is not as it should be is thrown, and fails the step.
import artifact from '@actions/artifact'
import * as cache from '@actions/cache'
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

const client = artifact.default ?? artifact
const work = process.env.GITHUB_WORKSPACE
const large = 100 * 1024 * 1024

function sum(file) {
  return crypto.createHash('sha256').update(fs.readFileSync(file)).digest('hex')
}

// Bytes that nothing makes smaller, and that are the same every time.
function noise(size) {
  const cipher = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16, 2))
  return cipher.update(Buffer.alloc(size))
}

async function upload() {
  fs.mkdirSync(path.join(work, 'out/deep'), {recursive: true})
  fs.writeFileSync(path.join(work, 'out/large.bin'), noise(large))
  fs.writeFileSync(path.join(work, 'out/deep/small.txt'), 'small')
  const files = ['out/large.bin', 'out/deep/small.txt'].map(file => path.join(work, file))
  const made = await client.uploadArtifact('both', files, path.join(work, 'out'), {compressionLevel: 1, retentionDays: 3})
  assert.ok(made.id > 0 && made.size > large / 2, JSON.stringify(made))
  await client.uploadArtifact('other', [files[1]], path.join(work, 'out'))
  let {artifacts} = await client.listArtifacts()
  assert.deepEqual(artifacts.map(one => one.name).sort(), ['both', 'other'])
  await assert.rejects(client.uploadArtifact('other', [files[1]], path.join(work, 'out')), /already exists/)
  await client.deleteArtifact('other')
  ;({artifacts} = await client.listArtifacts())
  assert.deepEqual(artifacts.map(one => one.name), ['both'])
}

async function download() {
  const {artifact: found} = await client.getArtifact('both')
  const to = path.join(work, 'in')
  await client.downloadArtifact(found.id, {path: to})
  assert.equal(sum(path.join(to, 'large.bin')), crypto.createHash('sha256').update(noise(large)).digest('hex'))
  assert.equal(fs.readFileSync(path.join(to, 'deep/small.txt'), 'utf8'), 'small')
  await assert.rejects(client.getArtifact('other'), /not found/i)
}

async function save() {
  assert.ok(cache.isFeatureAvailable())
  fs.mkdirSync(path.join(work, 'deps/a'), {recursive: true})
  fs.writeFileSync(path.join(work, 'deps/a/file'), noise(3 * 1024 * 1024))
  assert.equal(await cache.restoreCache(['deps'], 'deps-1', ['deps-']), undefined)
  assert.ok((await cache.saveCache(['deps'], 'deps-1')) > 0)
  assert.equal(await cache.saveCache(['deps'], 'deps-1'), -1, 'a cache is never changed')
}

async function restore() {
  assert.equal(await cache.restoreCache(['deps'], 'deps-1', [], {lookupOnly: true}), 'deps-1')
  assert.ok(!fs.existsSync(path.join(work, 'deps')))
  assert.equal(await cache.restoreCache(['deps'], 'deps-2', ['none-', 'deps-']), 'deps-1')
  assert.equal(fs.readFileSync(path.join(work, 'deps/a/file')).compare(noise(3 * 1024 * 1024)), 0)
  fs.rmSync(path.join(work, 'deps'), {recursive: true})
  assert.equal(await cache.restoreCache(['deps'], 'deps-1'), 'deps-1')
  assert.ok(fs.existsSync(path.join(work, 'deps/a/file')))
  assert.equal(await cache.restoreCache(['elsewhere'], 'deps-1'), undefined, 'of other paths it is another cache')
}

const parts = {upload, download, save, restore}
try {
  await parts[process.env.INPUT_PART]()
  console.log(`toolkit: ${process.env.INPUT_PART} is as it should be`)
} catch (error) {
  console.log(`::error::${String(error.stack).replaceAll('\n', '%0A')}`)
  process.exitCode = 1
}
