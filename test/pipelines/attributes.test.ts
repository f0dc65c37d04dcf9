import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type AttributeRules, toldMonths } from '../../pipelines/attributes.ts'
import type { RegisterEntry } from '../../schemas/register-entry.ts'
import { household } from '../operators/privacy/k-anonymize/registers.ts'

const homes = (count: number, name: string, rest: Partial<RegisterEntry> = {}): RegisterEntry[] =>
  Array.from({ length: count }, (_, i) => household(`${name} ${i}`, rest))
const others = [...homes(10, 'b', { tariff: 'night' }), ...homes(10, 'c', { heating: 'oil' })]
const shops = homes(3, 'shop', { customerClass: 'commercial' })

describe('the rules of attributes', () => {
  const cases: readonly {
    readonly says: string
    readonly entries: readonly RegisterEntry[]
    readonly rules: AttributeRules
    readonly told: string
  }[] = [
    { says: 'ask for 20 homes', entries: homes(20, 'a'), rules: {}, told: 'flat' },
    { says: 'ask for no fewer', entries: homes(19, 'a'), rules: {}, told: '*' },
    { says: 'ask for k', entries: homes(5, 'a'), rules: { k: 5 }, told: 'flat' },
    { says: 'ask for no fewer than k', entries: homes(20, 'a'), rules: { k: 21 }, told: '*' },
    {
      says: 'let some homes be told nothing of',
      entries: [...homes(80, 'a'), ...others],
      rules: { k: 20, maxSuppressed: 0.5 },
      told: 'flat',
    },
    {
      says: 'let none be told nothing of',
      entries: [...homes(80, 'a'), ...others],
      rules: { k: 20, maxSuppressed: 0 },
      told: '*',
    },
    { says: 'ask for two classes of customers', entries: homes(40, 'a'), rules: { l: 2 }, told: '*' },
    { says: 'are met by two', entries: [...homes(40, 'a'), ...shops], rules: { l: 2 }, told: 'flat' },
  ]
  for (const { says, entries, rules, told } of cases) {
    it(says, () => {
      const monthOf = toldMonths(entries, { rules, timeZone: 'Europe/Berlin', since: '2026-01' })
      assert.equal(monthOf('2026-02').of({ connection: 'a 0' }).tariff, told)
      assert.equal(monthOf('2025-12').of({ connection: 'a 0' }).tariff, '*')
    })
  }
})
