import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { useSavedViews, viewsMost } from './savedViews'

const view = (name: string, query: Record<string, string> = { result: 'failed' }) =>
  ({ name, page: 'runs', query }) as const
const again = () => {
  setActivePinia(createPinia())
  return useSavedViews()
}

describe('saved views', () => {
  beforeEach(() => localStorage.clear())

  it('are there again in the next visit, each on its page', () => {
    again().save(view('red'))
    const views = again()
    expect(views.of('runs').map((one) => one.name)).toEqual(['red'])
    expect(views.of('events')).toEqual([])
    views.remove(views.of('runs')[0]!)
    expect(again().views).toEqual([])
  })

  it('are found by what they filter, in whatever order it stands', () => {
    const views = again()
    views.save(view('red main', { result: 'failed', branch: 'main' }))
    expect(views.find('runs', { branch: 'main', result: 'failed' })?.name).toBe('red main')
    expect(views.find('events', { branch: 'main', result: 'failed' })).toBeUndefined()
    expect(views.find('runs', { branch: 'main' })).toBeUndefined()
  })

  it('of another tab stay', () => {
    const [here, there] = [again(), again()]
    here.save(view('red'))
    there.save(view('green', { result: 'passed' }))
    expect(again().views.map((one) => one.name)).toEqual(['red', 'green'])
  })

  it('have a name each; beyond their number none is taken', () => {
    const views = again()
    views.save(view('red'))
    views.save(view('red', { result: 'passed' }))
    expect(views.views).toEqual([view('red', { result: 'passed' })])
    for (let n = 1; n < viewsMost; n++) expect(views.save(view(`n${n}`))).toBe(true)
    expect(views.save(view('one more'))).toBe(false)
    expect(views.save(view('red'))).toBe(true)
    expect(views.views).toHaveLength(viewsMost)
  })

  it('that are no views are passed over', () => {
    for (const kept of ['nonsense', '7', '[{"name":1}]', '[{"name":"a","page":"runs","query":{"q":1}}]', '[null]']) {
      localStorage.setItem('headrace.views', kept)
      expect(again().views, kept).toEqual([])
    }
  })
})
