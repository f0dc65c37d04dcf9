import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode } from '../../../operators/decode-dlms/decode.ts'
import { type DataTree, dataTree } from '../../../operators/decode-dlms/wire/axdr-read.ts'
import { type CaseCheck, caseCount, checkCases, firstFailure } from '../../helpers/dlms-cases.ts'
import { checkTape } from '../../helpers/dlms-outcome.ts'
import { madeData, writeData } from '../../helpers/dlms-writer.ts'
import { plainContext } from './make.ts'

type Read = (bytes: Uint8Array) => DataTree

function read(bytes: Uint8Array): DataTree {
  const decoded = decode(bytes, plainContext('axdr'))
  assert.equal(decoded.outcome, 'message', decoded.outcome === 'refused' ? decoded.reason : decoded.outcome)
  if (decoded.outcome !== 'message' || decoded.content.message.kind !== 'data') throw new Error('not a data value')
  const { value, trailing } = decoded.content.message
  assert.equal(trailing.length, 0, 'bytes were left over')
  checkTape(value)
  return dataTree(value)
}

const givesBack: CaseCheck<Read> = (subject, random) => {
  const made = madeData(random)
  assert.deepEqual(subject(writeData(made)), made.tree)
  assert.deepEqual(subject(writeData(made, random)), made.tree, 'with longer lengths than needed')
}

describe('A-XDR data that another writer wrote', () => {
  it('decodes to exactly the tree it was written from, of all types, with compact arrays and deltas', () => {
    checkCases(read, givesBack, caseCount(), 1)
  })

  const planted: readonly (readonly [string, (tree: DataTree) => DataTree])[] = [
    ['that reads a signed delta as unsigned', signless],
    ['that passes 64-bit integers through a float', floated],
    ['that shows the bits of a bit-string in the other order', turned],
    ['that takes the contents of a compact-array for one element less', shortened],
  ]
  for (const [what, change] of planted) {
    it(`shows a decoder ${what}`, () => {
      assert.notEqual(
        firstFailure((bytes: Uint8Array) => change(read(bytes)), givesBack, 2_000, 1),
        -1,
      )
    })
  }
})

function changedLeaves(tree: DataTree, change: (leaf: DataTree) => DataTree): DataTree {
  return 'elements' in tree
    ? change({ ...tree, elements: tree.elements.map((element) => changedLeaves(element, change)) })
    : change(tree)
}

function signless(tree: DataTree): DataTree {
  return changedLeaves(tree, (leaf) =>
    leaf.type === 'delta-integer' ? { ...leaf, value: BigInt.asUintN(8, BigInt(leaf.value)) } : leaf,
  )
}

function floated(tree: DataTree): DataTree {
  return changedLeaves(tree, (leaf) =>
    leaf.type === 'long64' || leaf.type === 'long64-unsigned' ? { ...leaf, value: Number(leaf.value) } : leaf,
  )
}

function turned(tree: DataTree): DataTree {
  return changedLeaves(tree, (leaf) =>
    leaf.type === 'bit-string' ? { ...leaf, value: [...leaf.value].reverse().join('') } : leaf,
  )
}

function shortened(tree: DataTree): DataTree {
  return changedLeaves(tree, (leaf) =>
    leaf.type === 'compact-array' ? { ...leaf, elements: leaf.elements.slice(1) } : leaf,
  )
}
