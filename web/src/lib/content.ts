// What is looked at first comes first: what else a page wants waits until its content is there, or a second has passed.
const most = 1_000 // milliseconds

const isThere = (): boolean =>
  document.querySelector('main h1') !== null && document.querySelector('main [role="progressbar"]') === null

export async function contentShown(): Promise<void> {
  for (const until = performance.now() + most; !isThere() && performance.now() < until;)
    await new Promise((next) => requestAnimationFrame(next))
}
