import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Keyed, lowering, type Operator } from '../../../operators/contract/operator.ts'
import { describePipeline, topologyText } from '../../../pipelines/runtime/describe.ts'
import { topologyMermaid } from '../../../pipelines/runtime/describe-mermaid.ts'
import { pipeline } from '../../../pipelines/runtime/stream.ts'
import { topics } from '../../../schemas/topics.ts'
import { toyTopic } from '../../helpers/toy-topics.ts'

type Frame = { readonly bytes: string }
const frames = toyTopic<Frame, 'identified'>('frames', 'identified')
const accepted = toyTopic<Frame, 'identified'>('accepted', 'identified')
const households = toyTopic<Frame, 'pseudonymous'>('households', 'pseudonymous')

const decode: Operator<Frame, Frame> = {
  spec: {
    name: 'decode',
    drops: ['link_only'],
    rejects: ['fcs_mismatch', 'hcs_mismatch', 'frame_truncated', 'frame_length_mismatch', 'key_unknown'],
  },
  process: () => {},
}
const dedupe: Keyed<Frame, Frame, number> = {
  spec: { name: 'dedupe', drops: ['duplicate'], rejects: [] },
  state: { name: 'seen', aged: 'horizon', codec: { encode: () => new Uint8Array(), decode: () => 0 } },
  keys: () => [],
  process: () => {},
}
const pseudonymize = lowering(
  'identified',
  'pseudonymous',
)<Frame, Frame>({ spec: { name: 'pseudonymize', drops: [], rejects: [] }, process: () => {} })

const readings = pipeline(
  'readings',
  frames,
  (input) => {
    const kept = input.through(decode).keyed(dedupe)
    kept.to(accepted)
    kept.lower(pseudonymize).to(households)
  },
  { rejects: topics.meterRejected, changelog: topics.meterAccepted },
)

test('describes sources, operators, labels, sinks, and what each may drop or reject', () => {
  const facts = describePipeline(readings)
  assert.deepEqual(JSON.parse(JSON.stringify(facts)), {
    name: 'readings',
    source: { name: 'frames', label: 'identified' },
    sinks: [],
    deadLetters: { name: 'meter.rejected', label: 'identified' },
    changelog: { name: 'meter.accepted', label: 'identified' },
    steps: [
      {
        name: 'decode',
        kind: 'operator',
        label: 'identified',
        drops: ['link_only'],
        rejects: ['fcs_mismatch', 'hcs_mismatch', 'frame_truncated', 'frame_length_mismatch', 'key_unknown'],
        sinks: [],
        next: [
          {
            name: 'dedupe',
            kind: 'keyed',
            label: 'identified',
            drops: ['duplicate'],
            rejects: [],
            state: 'seen',
            sinks: [{ name: 'accepted', label: 'identified' }],
            next: [
              {
                name: 'pseudonymize',
                kind: 'operator',
                label: 'pseudonymous',
                lowers: { from: 'identified', to: 'pseudonymous' },
                drops: [],
                rejects: [],
                sinks: [{ name: 'households', label: 'pseudonymous' }],
                next: [],
              },
            ],
          },
        ],
      },
    ],
  })
})

test('prints the topology as a tree', () => {
  assert.deepEqual(topologyText([describePipeline(readings)], 60), [
    'readings',
    '  reads frames (identified)',
    '  rejects to meter.rejected (identified)',
    '  changelog meter.accepted (identified)',
    '  └─ decode',
    '     │ may drop link_only',
    '     │ may reject fcs_mismatch, hcs_mismatch,',
    '     │            frame_truncated, frame_length_mismatch,',
    '     │            key_unknown',
    '     └─ dedupe, state seen',
    '        │ may drop duplicate',
    '        ├─ → accepted (identified)',
    '        └─ pseudonymize  ⇣ identified becomes pseudonymous',
    '           └─ → households (pseudonymous)',
  ])
})

test('a lowering given to through is shown with the label that stays', () => {
  const kept = pipeline('kept', frames, (input) => input.through(pseudonymize).to(accepted))
  const [step] = describePipeline(kept).steps
  assert.equal(step?.label, 'identified')
  assert.equal(step?.lowers, undefined)
})

test('draws a Mermaid flowchart in which every edge joins known nodes', () => {
  const lines = topologyMermaid([describePipeline(readings)])
  assert.equal(lines[0], 'flowchart LR')
  const ids = new Set(lines.flatMap((line) => /^ +(\w+)\[/.exec(line)?.[1] ?? []))
  const edges = lines.filter((line) => /(-->|==>|\.->)/.test(line))
  assert.equal(edges.length, 7)
  for (const edge of edges) {
    const [from, to] = [/^ +(\w+) /.exec(edge)?.[1] ?? '', / (\w+)$/.exec(edge)?.[1] ?? '']
    assert.ok(ids.has(from) && ids.has(to), edge)
  }
  assert.ok(lines.includes('  readings_dedupe == "identified → pseudonymous" ==> readings_pseudonymize'))
  assert.ok(lines.includes('  topic_households[("households<br/>pseudonymous")]:::pseudonymous'))
})
