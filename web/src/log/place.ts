// A place in a log as its address has it: `#s3-L120-L134`, step 3, lines 120 to 134, counted from 1 in the whole log.
export interface Place {
  step: number | undefined
  from: number
  to: number
}

export function parsePlace(hash: string): Place | undefined {
  const match = /^#(?:s(\d+)-)?L(\d+)(?:-L(\d+))?$/.exec(hash)
  if (!match) return undefined
  const [from, to] = [Number(match[2]), Number(match[3] ?? match[2])]
  if (from < 1 || to < 1) return undefined
  return {
    step: match[1] === undefined ? undefined : Number(match[1]),
    from: Math.min(from, to),
    to: Math.max(from, to),
  }
}

export function writePlace({ step, from, to }: Place): string {
  return `#${step === undefined ? '' : `s${step}-`}L${from}${to === from ? '' : `-L${to}`}`
}
