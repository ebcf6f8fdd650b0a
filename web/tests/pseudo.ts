// English that is longer and strange, so that a text which is cut, or not translated, is seen: [Ŕûñš one two].
const strange: Record<string, string> = {
  a: 'à',
  c: 'ç',
  e: 'é',
  i: 'î',
  n: 'ñ',
  o: 'ö',
  r: 'ŕ',
  s: 'š',
  u: 'û',
  y: 'ý',
}

export function pseudo(message: string): string {
  return message
    .split(' | ')
    .map((form) => {
      const words = form.replace(/\{\w+\}|[a-z]/g, (piece) => (piece.length > 1 ? piece : (strange[piece] ?? piece)))
      return `[${words} ${'~'.repeat(Math.ceil(form.length * 0.4))}]`
    })
    .join(' | ')
}
