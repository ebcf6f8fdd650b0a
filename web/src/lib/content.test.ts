import { afterEach, expect, it } from 'vitest'
import { contentShown } from './content'

afterEach(() => document.body.replaceChildren())
const frames = async (count: number) => {
  for (let n = 0; n < count; n++) await new Promise((next) => requestAnimationFrame(next))
}

it('waits for a page to have its title and nothing that loads', async () => {
  document.body.innerHTML = '<main><h1>Runs</h1><i role="progressbar"></i></main>'
  let shown = false
  void contentShown().then(() => (shown = true))
  await frames(3)
  expect(shown).toBe(false)
  document.querySelector('i')!.remove()
  await frames(3)
  expect(shown).toBe(true)
})

it('waits a second for a page that does not come', async () => {
  const began = performance.now()
  await contentShown()
  expect(performance.now() - began).toBeGreaterThan(900)
})
