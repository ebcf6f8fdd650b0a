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

  // A name that is taken means another filter from now on. The oldest give way.
  function save(view: SavedView): void {
    const others = views.value.filter((one) => one.page !== view.page || one.name !== view.name)
    views.value = [...others, view].slice(-viewsMost)
    keep()
  }
  function remove(view: SavedView): void {
    views.value = views.value.filter((one) => one !== view)
    keep()
  }
  return { views, of, find, save, remove }
})
