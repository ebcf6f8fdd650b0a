// How a page looks from far away: the mean brightness of 24 x 15 fields of its picture, kept in looks.json. Other fonts and
// other words move it little; a lost column, an unstyled page or a wrong theme move it far.
//   HEADRACE_LOOKS=keep npm run browser      keeps how the pages look now, once somebody has looked at the pictures
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const file = fileURLToPath(new URL('./looks.json', import.meta.url))
const known = JSON.parse(readFileSync(file, 'utf8'))
const keep = process.env.HEADRACE_LOOKS === 'keep'
const columns = 24
const rows = 15
const apart = 32 // of 255: a field that differs so much is another
const fieldsMost = 0.12 // of all fields may be others

// In the browser, which can read the picture it took.
async function fields(page, picture) {
  return page.evaluate(
    async ([data, width, height]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
      const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const canvas = new OffscreenCanvas(width, height)
      const context = canvas.getContext('2d')
      context.imageSmoothingQuality = 'high'
      context.drawImage(bitmap, 0, 0, width, height)
      const { data: pixels } = context.getImageData(0, 0, width, height)
      return Array.from({ length: width * height }, (_, i) =>
        Math.round(0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2]),
      )
    },
    [picture.toString('base64'), columns, rows],
  )
}

// Nothing, or a sentence that says how far the page has gone from what is kept.
export async function changeOf(page, name, picture) {
  const now = await fields(page, picture)
  if (keep) {
    known[name] = Buffer.from(now).toString('base64')
    const sorted = Object.fromEntries(Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1)))
    writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`)
    return undefined
  }
  if (!known[name])
    return `nothing is kept of how it looks; look at its picture, then: HEADRACE_LOOKS=keep npm run browser`
  const before = Buffer.from(known[name], 'base64')
  const others = now.filter((value, i) => Math.abs(value - before[i]) > apart).length / now.length
  if (others <= fieldsMost) return undefined
  return `looks otherwise than before in ${Math.round(others * 100)} % of its fields (${fieldsMost * 100} % may); look at its picture`
}
