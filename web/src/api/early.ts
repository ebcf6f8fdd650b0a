// What the opening script (build/opening.js) asked for before this one was there. Each answer is taken once, by the first
// page alone.
declare global {
  var headraceEarly: Record<string, Promise<Response>> | undefined // by address
}

// An answer to `address`; nothing where it was not asked for, failed, or is another's business by now.
export async function early(address: string): Promise<Response | undefined> {
  const asked = globalThis.headraceEarly
  const answer = asked?.[address]
  if (!answer) return undefined
  delete asked![address]
  const response = await answer.catch(() => undefined)
  return response?.ok ? response : undefined
}

export function forgetEarly(): void {
  globalThis.headraceEarly = undefined
}
