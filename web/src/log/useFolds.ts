// Which steps and groups of a log are open: as is right for how they stand, until somebody says otherwise.
import { computed, ref, watch, type Ref } from 'vue'
import type { Job } from '@/api/types'
import type { LogBuffer, Mark } from './buffer'
import { Layout } from './layout'
import type { Place } from './place'

export function useFolds(job: Ref<Job>, buffer: Ref<LogBuffer>, begun: Ref<number>, place: Ref<Place | undefined>) {
  const stepFolds = ref(new Map<number, boolean>())
  const groupFolds = ref(new Map<number, boolean>())
  const ended = computed(() => job.value.status === 'completed')
  const lineStep = (line: number) => buffer.value.stepOf(line)
  const stepOf = (number: number) => job.value.steps.find((step) => step.number === number)

  // Those that the job names, and those that its log has already come to.
  const numbers = computed(() => {
    const steps = job.value.steps.map((step) => step.number)
    const { count } = buffer.value
    if (count && lineStep(0) === 0) steps.unshift(0)
    else if (count && buffer.value.before)
      steps.splice(
        0,
        steps.findIndex((step) => step >= lineStep(0)),
      )
    for (let extra = (steps.at(-1) ?? 0) + 1; extra <= (count ? lineStep(count - 1) : 0); extra++) steps.push(extra)
    return steps
  })

  function isStepOpen(number: number): boolean {
    const said = stepFolds.value.get(number)
    if (said !== undefined) return said
    const marked = place.value ? place.value.from - 1 - buffer.value.before : -1
    if (marked >= 0 && marked < buffer.value.count && lineStep(marked) === number) return true
    const step = stepOf(number)
    if (!step) return !ended.value || numbers.value.length === 1 || job.value.steps.length === 0
    if (step.status !== 'completed' || job.value.steps.length === 1) return true
    return step.conclusion === 'failure' || step.conclusion === 'timed_out'
  }
  const isGroupOpen = (line: number, next: Mark | undefined): boolean =>
    groupFolds.value.get(line) ?? next?.kind === 'error'

  const layout = computed(() => {
    const steps = numbers.value.map((number) => ({ number, open: isStepOpen(number) }))
    return new Layout(buffer.value, steps, isGroupOpen)
  })

  // Groups are known by their lines, which are others now.
  watch(begun, () => (groupFolds.value = new Map()))

  // A step that somebody could read while it ran does not fold under them when it ends.
  watch(
    numbers,
    (all) => {
      for (const number of ended.value ? [] : all)
        if (!stepFolds.value.has(number) && isStepOpen(number)) stepFolds.value.set(number, true)
    },
    { immediate: true },
  )

  // Opens what hides a line.
  function reveal(line: number): void {
    stepFolds.value.set(lineStep(line), true)
    if (layout.value.isShown(line, lineStep)) return
    const head = buffer.value.marks.filter((mark) => mark.kind === 'group' && mark.line < line).at(-1)
    if (head) groupFolds.value.set(head.line, true)
  }
  const foldStep = (number: number, open: boolean) => stepFolds.value.set(number, !open)
  const foldGroup = (line: number, open: boolean) => groupFolds.value.set(line, !open)

  return { layout, ended, stepOf, lineStep, isStepOpen, foldStep, foldGroup, reveal }
}
