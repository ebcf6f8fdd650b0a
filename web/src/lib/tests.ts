// Tests as people know them.
import type { TestCase } from '@/api/types'

// Its class (or its suite, where that says more) and its name, as the server's own words have it: CTest says one name as
// both, Node's runner writes "test" for every class.
export function nameOfTest(test: TestCase): string {
  const around = !test.class || test.class === 'test' ? test.suite : test.class
  if (!test.name) return around
  return !around || test.name.startsWith(around) ? test.name : `${around}.${test.name}`
}

export interface Failing {
  test: TestCase // the first of them
  jobs: string[] // in which it failed, and in the same way
}

// What a matrix runs several times is told once, where it failed with the same words at the same place.
export function failingOnce(tests: TestCase[], jobOf: (test: TestCase) => string): Failing[] {
  const found = new Map<string, Failing>()
  for (const test of tests) {
    const same = JSON.stringify([test.id, test.message, test.file, test.line])
    const known = found.get(same)
    if (!known) found.set(same, { test, jobs: [jobOf(test)] })
    else if (!known.jobs.includes(jobOf(test))) known.jobs.push(jobOf(test))
  }
  return [...found.values()]
}
