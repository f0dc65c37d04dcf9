import type { AccumulatingLowering, Lowering, Operator } from '../../operators/contract/operator.ts'
import type { Published } from '../../operators/contract/published.ts'
import type { Stream } from '../../pipelines/runtime/stream.ts'
import type { BoundedWh } from '../../schemas/bounded.ts'
import type { Topic } from '../../schemas/codec.ts'
import type { Label } from '../../schemas/label.ts'

/** What the files of `refused` and `accepted` start from. Types only: none of them is ever run. */
export interface Reading {
  readonly meter: string
  readonly energyWh: number
}
export interface Load {
  readonly group: string
  readonly loadWh: number
}

export declare const identified: Stream<Reading, 'identified'>
export declare const pseudonymous: Stream<Reading, 'pseudonymous'>
export declare const aggregate: Stream<Load, 'aggregate'>
export declare const released: Stream<Load, 'released'>
export declare const sealed: Stream<Published<Load>, 'released'>
export declare const unlabelled: Stream<Load, never>

export declare const identifiedReadings: Topic<Reading, 'identified'>
export declare const householdReadings: Topic<Reading, 'pseudonymous'>
export declare const publicReadings: Topic<Reading, 'released'>
export declare const restrictedLoad: Topic<Load, 'aggregate'>
export declare const publicLoad: Topic<Load, 'released'>

export declare const plain: Operator<Reading, Reading>
export declare const pseudonymize: Lowering<Reading, Reading, 'identified', 'pseudonymous'>
export declare const release: Lowering<Reading, Load, 'pseudonymous', 'released'>
export declare const releaseTotals: AccumulatingLowering<Reading, Load, object, 'pseudonymous', 'aggregate'>

export declare const wh: BoundedWh
export declare const anyLabel: Label
