// Which files of the pages come in one piece: a page is then a few files, not twenty. What every page loads is one; what is
// heavy and seldom wanted stays apart.
import type { Rollup } from 'vite'

const apart = /\/(?:JobGraph\.vue|graph\.ts|RunPeek\.vue|RerunMenu\.vue|highlight\.ts|languages\.ts|markdown\.ts)$/
const parts: [RegExp, string][] = [
  [/\/src\/(?:components|lib|stores|api)\/|\/src\/log\/window\.ts/, 'shared'],
  [/\/src\/events\/|\/src\/views\/Event/, 'events'],
  [/\/src\/(?:run|log)\/|\/src\/views\/(?:RunView\.vue|run\/)/, 'run'],
  [/\/src\/repository\/|\/src\/views\/(?:RepositoryView\.vue|repository\/)/, 'repository'],
  [
    /\/src\/(?:bus|platform|settings)\/|\/src\/views\/(?:settings\/|(?:Status|Subscription|DeadLetter|Settings)\w*\.vue)/,
    'keeping',
  ],
  [/\/node_modules\/(?:reka-ui|@floating-ui|@vueuse|aria-hidden|@internationalized)\//, 'menus'],
]

// The modules that `entry` imports from the start, and theirs.
function shellOf(entry: string, moduleOf: Rollup.GetModuleInfo): Set<string> {
  const found = new Set<string>()
  const open = [entry]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue
    found.add(id)
    open.push(...(moduleOf(id)?.importedIds ?? []))
  }
  return found
}

export function makePartOf(): Rollup.GetManualChunk {
  let shell: Set<string> | undefined
  return (id, { getModuleInfo, getModuleIds }) => {
    const entry = [...getModuleIds()].find((one) => one.endsWith('/src/main.ts'))
    shell ??= entry ? shellOf(entry, getModuleInfo) : new Set()
    if (shell.has(id)) return 'shell'
    const [file] = id.split('?') // a component's style and script are modules of their own
    return apart.test(file!) ? undefined : parts.find(([pattern]) => pattern.test(file!))?.[1]
  }
}
