import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { shareOf } from '../../bench/privacy-profile.ts'

const node = (id: number, functionName: string, url: string, ...children: number[]) => ({
  id,
  callFrame: { functionName, url, scriptId: '', lineNumber: 0, columnNumber: 0 },
  children,
})

const nodes = [
  node(1, '(root)', '', 2, 3, 4, 7),
  node(2, '(idle)', ''),
  node(3, '(garbage collector)', ''),
  node(4, 'run', 'chain.ts', 5, 8),
  node(5, 'bound', 'clip.ts', 6),
  node(6, 'localDay', 'day.ts'),
  node(7, '(program)', ''),
  node(8, 'localDay', 'day.ts'),
]
const isClip = ({ url }: { readonly url: string }) => url === 'clip.ts'

describe('shareOf', () => {
  it('counts what is meant and what that calls, of all that ran', () => {
    assert.equal(shareOf({ nodes, samples: [4, 5, 6, 7, 8] }, isClip), 40)
  })

  it('leaves out idle time and the collection of garbage', () => {
    assert.equal(shareOf({ nodes, samples: [2, 3, 3, 5, 4] }, isClip), 50)
  })
})
