// What fits to typed words: each word must occur; what begins with the first one goes before.
export function matching<T>(all: readonly T[], text: string, textOf: (one: T) => string): T[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return [...all]
  const fits = all.filter((one) => words.every((word) => textOf(one).toLowerCase().includes(word)))
  const first = (one: T) => (textOf(one).toLowerCase().startsWith(words[0]!) ? 0 : 1)
  return fits.sort((a, b) => first(a) - first(b))
}
