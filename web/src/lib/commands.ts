// What can be done on the page at hand, for its buttons and the palette alike.
import { onScopeDispose, shallowReactive } from 'vue'

export interface Command {
  id: string
  label: string
  keys?: string
  run(): void
}

type Provider = () => Command[]
const providers = shallowReactive(new Set<Provider>())

export function useCommands(provider: Provider): void {
  providers.add(provider)
  onScopeDispose(() => providers.delete(provider))
}

export const commandsNow = (): Command[] => [...providers].flatMap((provider) => provider())
