// Mutants of all frames there are: of transport units, of APDUs, of what is inside the ciphering, and of APDUs around data of all types.
import type { SimulationRandom } from '../../bench/fleet/random.ts'
import type { DecodeContext } from '../../operators/decode-dlms/types.ts'
import { bytes, generalGlo, joined, keysFor, plainContext, sized } from '../operators/decode-dlms/make.ts'
import { pick } from './dlms-cases.ts'
import { apdusOf, capturedSamples, fleetSamples, plaintextsOf } from './dlms-corpus.ts'
import { mutated, repaired } from './dlms-mutate.ts'
import { madeData, writeData } from './dlms-writer.ts'

/** Everything that is mutated. */
export const samples = [...capturedSamples(), ...fleetSamples()]
const apdus = apdusOf(samples)
const plaintexts = plaintextsOf(samples)
const keys = [keysFor(0), keysFor(1), keysFor(2)] as const

/** The mutant of one case: units to be decoded one after the other on one connection. */
export interface Mutant {
  readonly context: DecodeContext
  readonly units: readonly Uint8Array[]
}

/** A mutant at a random layer, with the checks of outer layers made right or not. */
export function mutantOf(random: SimulationRandom): Mutant {
  const layer = random.below(6)
  if (layer < 2) {
    const { units, transport, context } = pick(random, samples)
    const which = random.below(units.length)
    const damaged = units.map((unit, k) => {
      if (k !== which) return unit
      return layer === 0 ? mutated(unit, random) : repaired(mutated(unit, random), transport)
    })
    return { context, units: damaged }
  }
  if (layer === 2) {
    const { bytes: apdu, context } = pick(random, apdus)
    return { context, units: [mutated(apdu, random)] }
  }
  const plain = mutated(layer === 5 ? written(random) : pick(random, plaintexts).bytes, random)
  if (layer === 3) {
    const suite = random.below(3)
    return {
      context: { transport: 'apdu', keys: () => keys[suite] },
      units: [generalGlo(plain, 0x30 | suite, random.u32())],
    }
  }
  return { context: plainContext('apdu'), units: [plain] }
}

/** A plain APDU of a form that the captures have few or none of, around data of all types. */
export function written(random: SimulationRandom): Uint8Array {
  const data = writeData(madeData(random))
  const list = [data, writeData(madeData(random, 4)), writeData(madeData(random, 4))]
  switch (random.below(8)) {
    case 0:
      return joined(bytes('0f 00000001 00'), data)
    case 1:
      return joined(bytes('c2 01 0c 07ea031d070c1e0000ff8880 0003 0100010800ff 02'), data)
    case 2:
      return joined(bytes('c4 01 c1 00'), data)
    case 3:
      return joined(bytes('c4 03 c1 03'), ...list.map((one) => joined(Uint8Array.of(0), one)))
    case 4:
      return joined(
        bytes('da 40000001 00 01 01 04 0003 0100010800ff 02 01'),
        data,
        bytes('03'),
        ...list,
        bytes('03 010001000100'),
      )
    case 5:
      return joined(bytes('c7 01 c1 00 01 00'), data)
    case 6:
      return joined(bytes('0f 00000001 00 0202 1600 0101 0202 0003 0100010800ff 02'), data)
    default:
      return joined(bytes('c4 02 c1 01 00000001 00'), sized(data))
  }
}
