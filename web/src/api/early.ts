// What the opening script (build/opening.js) asked for before this one was there. Each answer is taken once, by the first
// page alone.
interface Early {
  response: Response
  text: string // of its body, which is read: so that a page that is made finds its answer, not the beginning of one
}
declare global {
  var headraceEarly: Record<string, Promise<Early>> | undefined // by address
}

const texts = new WeakMap<Response, string>()
// The body of an answer, whether it came early or comes now.
export const textOf = async (response: Response): Promise<string> => texts.get(response) ?? response.text()

// An answer to `address`, a refusal too; nothing where it was not asked for, or was lost on the way.
export async function early(address: string): Promise<Response | undefined> {
  const asked = globalThis.headraceEarly
  const answer = asked?.[address]
  if (!answer) return undefined
  delete asked![address]
  const came = await answer.catch(() => undefined)
  if (!came || came.response.status >= 500) return undefined
  texts.set(came.response, came.text)
  return came.response
}

const most = 50 // milliseconds
// All that was asked for early is there, or it takes longer than a page waits that could be made without.
export async function earlyIsThere(): Promise<void> {
  const asked = Object.values(globalThis.headraceEarly ?? {})
  await Promise.race([Promise.allSettled(asked), new Promise((late) => setTimeout(late, most))])
}

export function forgetEarly(): void {
  globalThis.headraceEarly = undefined
}
