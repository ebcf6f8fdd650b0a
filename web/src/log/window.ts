// Which rows of a long list are in sight. Browsers end near 17 million pixels, so beyond `heightMost` the scroll bar is
// scaled: a pixel of it is then more than a pixel of the list.

export const heightMost = 15_000_000

export interface Sight {
  first: number
  count: number
  top: number // where the first row stands, in pixels of the scrolled content
  height: number // of the scrolled content
}

const spare = 10 // rows above and below that are there before they are seen

export function sightOf(rows: number, row: number, scrollTop: number, view: number): Sight {
  const whole = rows * row
  const height = Math.min(whole, heightMost)
  const exact =
    whole <= heightMost ? scrollTop / row : (scrolled(scrollTop, height, view) * Math.max(0, whole - view)) / row
  const first = Math.max(0, Math.min(rows, Math.floor(exact)) - spare)
  const count = Math.max(0, Math.min(rows - first, Math.ceil(view / row) + 2 * spare + 1))
  return { first, count, top: scrollTop - (exact - first) * row, height }
}

// The scroll position that puts a row at the top, or as near to it as there is room.
export function scrollTopOf(rows: number, row: number, index: number, view: number): number {
  const whole = rows * row
  if (whole <= heightMost) return Math.max(0, Math.min(index * row, whole - view))
  return Math.min(1, (index * row) / Math.max(1, whole - view)) * (heightMost - view)
}

const scrolled = (scrollTop: number, height: number, view: number): number =>
  height <= view ? 0 : Math.min(1, Math.max(0, scrollTop / (height - view)))
