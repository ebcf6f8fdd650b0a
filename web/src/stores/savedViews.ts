// Filters that one wants again, by a name of one's own; kept by the browser.
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type ViewPage = 'runs' | 'events'
export interface SavedView {
  name: string
  page: ViewPage
  query: Record<string, string> // of the address
}

export const viewsMost = 30
const kept = 'headrace.views'

function isView(value: unknown): value is SavedView {
  const { name, page, query } = (value ?? {}) as Partial<SavedView>
  const texts =
    typeof query === 'object' && query !== null && Object.values(query).every((one) => typeof one === 'string')
  return typeof name === 'string' && name !== '' && (page === 'runs' || page === 'events') && texts
}

function read(): SavedView[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(kept) ?? '[]')
    return Array.isArray(found) ? found.filter(isView).slice(0, viewsMost) : []
  } catch {
    return [] // storage is closed to this page, or holds something else
  }
}

const same = (a: SavedView, b: SavedView) => a.page === b.page && a.name === b.name
const sameQuery = (a: Record<string, string>, b: Record<string, string>) =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort())

export const useSavedViews = defineStore('savedViews', () => {
  const views = ref<SavedView[]>(read())

  function keep(): void {
    try {
      localStorage.setItem(kept, JSON.stringify(views.value))
    } catch {
      // It holds until the page is left.
    }
  }
  const of = (page: ViewPage) => views.value.filter((view) => view.page === page)
  const find = (page: ViewPage, query: Record<string, string>) => of(page).find((view) => sameQuery(view.query, query))

  // A name that is taken means another filter from now on. False: there are as many as are kept. What another tab saved
  // meanwhile stays.
  function save(view: SavedView): boolean {
    const others = read().filter((one) => !same(one, view))
    if (others.length >= viewsMost) return false
    views.value = [...others, view]
    keep()
    return true
  }
  function remove(view: SavedView): void {
    views.value = read().filter((one) => !same(one, view))
    keep()
  }
  return { views, of, find, save, remove }
})
