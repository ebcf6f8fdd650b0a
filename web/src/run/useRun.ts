// A run as its page has it. What is said of it on the log makes it be read again; what was there stays until then.
import { inject, onScopeDispose, provide, ref, shallowRef, watch, type InjectionKey, type Ref } from 'vue'
import { showRun, testsOfRun } from '@/api/calls'
import { ApiError, offsetOf } from '@/api/client'
import { heard } from '@/api/heard'
import type { PlatformEvent, Run, TestPage } from '@/api/types'
import { runOf, shortType } from '@/lib/events'
import { useConnection } from '@/stores/connection'

export interface RunPage {
  run: Ref<Run | undefined>
  tests: Ref<TestPage | undefined>
  error: Ref<ApiError | undefined>
  testsError: Ref<ApiError | undefined>
  again(): Promise<void>
  look(): void // again, soon: there is reason to believe that it has changed
}

const key: InjectionKey<RunPage> = Symbol('run')
const soon = 60 // ms: several events at once are one look

export function provideRun(id: Ref<string>, at: Ref<string | undefined>): RunPage {
  const run = shallowRef<Run>()
  const tests = shallowRef<TestPage>()
  const error = shallowRef<ApiError>()
  const testsError = shallowRef<ApiError>()
  let current = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const testsMayHaveChanged = ref(true)

  let turn = 0
  let shown = 0 // the turn whose answer is shown; an older one that comes later is passed over
  async function again(): Promise<void> {
    const { signal } = current
    const mine = ++turn
    try {
      const loaded = await showRun(id.value, at.value, signal)
      if (signal.aborted || mine < shown) return
      shown = mine
      run.value = loaded
      error.value = undefined
      if (at.value === undefined) heard.since(offsetOf(loaded)).forEach(hear)
      if (testsMayHaveChanged.value) await readTests(loaded.id, signal)
    } catch (caught) {
      if (!signal.aborted) error.value = asApiError(caught)
    }
  }
  let testsTurn = 0
  async function readTests(run: number, signal: AbortSignal): Promise<void> {
    const mine = ++testsTurn
    testsMayHaveChanged.value = false
    try {
      const page = await testsOfRun(run, null, at.value, signal)
      if (signal.aborted || mine !== testsTurn) return
      tests.value = page
      testsError.value = undefined
    } catch (caught) {
      if (signal.aborted || mine !== testsTurn) return
      testsMayHaveChanged.value = true // whoever reads again reads them
      testsError.value = asApiError(caught)
    }
  }
  function look(): void {
    timer ??= setTimeout(() => ((timer = undefined), void again()), soon)
  }
  function begin(): void {
    current.abort()
    current = new AbortController()
    run.value = tests.value = undefined
    error.value = testsError.value = undefined
    testsMayHaveChanged.value = true
    void again()
  }

  function hear(event: PlatformEvent): void {
    if (at.value !== undefined || !run.value || !mentions(event, run.value)) return
    if (/^test/.test(shortType(event.type)) || /finished$/.test(event.type.replace(/\.\d+\.\d+\.\d+$/, '')))
      testsMayHaveChanged.value = true
    look()
  }
  const deaf = useConnection().listen(hear)
  watch([id, at], begin, { immediate: true })
  onScopeDispose(() => {
    deaf()
    current.abort()
    clearTimeout(timer)
  })
  const page = { run, tests, error, testsError, again, look }
  provide(key, page)
  return page
}

function mentions(event: PlatformEvent, run: Run): boolean {
  return runOf(event) === run.run || run.jobs.some((job) => job.job === event.subject)
}
const asApiError = (caught: unknown) =>
  caught instanceof ApiError ? caught : new ApiError(0, 'corrupt', String(caught))

export function useRun(): RunPage {
  const page = inject(key)
  if (!page) throw new Error('This view stands within the page of a run.')
  return page
}
