import { describe, expect, it } from 'vitest'
import type { TestCase } from '@/api/types'
import { failingOnce, nameOfTest } from './tests'

const test = (of: Partial<TestCase>) => ({ suite: '', class: '', name: '', ...of }) as TestCase

describe('the name of a test', () => {
  it.each([
    [{ suite: 's', class: 'CartTest', name: 'adds' }, 'CartTest.adds'],
    [{ suite: 'Linux-c++', class: 'cart_test.adds', name: 'cart_test.adds' }, 'cart_test.adds'],
    [{ suite: 'cart', class: 'test', name: 'adds' }, 'cart.adds'],
    [{ suite: 'cart', name: 'adds' }, 'cart.adds'],
    [{ class: 'CartTest' }, 'CartTest'],
    [{ name: 'adds' }, 'adds'],
  ])('of %o is %s', (of, name) => expect(nameOfTest(test(of))).toBe(name))
})

describe('what failed', () => {
  const failed = (report: string, message: string) => test({ id: 'a', report, message })
  const jobOf = (one: TestCase) => `job ${one.report}`
  it('is told once with all the jobs in which it failed alike', () => {
    const once = failingOnce([failed('1', 'x'), failed('2', 'x'), failed('2', 'x')], jobOf)
    expect(once.map((one) => one.jobs)).toEqual([['job 1', 'job 2']])
  })
  it('is told again where it failed with other words', () => {
    expect(failingOnce([failed('1', 'x'), failed('2', 'y')], jobOf)).toHaveLength(2)
  })
})
