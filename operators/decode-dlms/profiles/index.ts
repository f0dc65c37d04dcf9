import { type CompiledProfile, compileProfile, type IntervalProfile } from '../interpret/interval-profile.ts'
import { checkLayout, type PositionalLayout } from '../interpret/registry.ts'
import interval15 from './interval-15min.json' with { type: 'json' }
import interval30 from './interval-30min.json' with { type: 'json' }
import interval60 from './interval-60min.json' with { type: 'json' }
import iskraEnergy from './iskra-am550-slovenia-energy.json' with { type: 'json' }
import iskraPower from './iskra-am550-slovenia-power.json' with { type: 'json' }
import kaifaList1 from './kaifa-han-list-1.json' with { type: 'json' }
import kaifaList2One from './kaifa-han-list-2-one-phase.json' with { type: 'json' }
import kaifaList2Three from './kaifa-han-list-2-three-phase.json' with { type: 'json' }
import kaifaList3One from './kaifa-han-list-3-one-phase.json' with { type: 'json' }
import kaifaList3Three from './kaifa-han-list-3-three-phase.json' with { type: 'json' }

/** Interval profiles by id: what the register's `profile` names. Each file carries its version. */
export const intervalProfiles: ReadonlyMap<string, CompiledProfile> = new Map(
  [interval15, interval30, interval60].map((data) => [data.id, compileProfile(data as IntervalProfile)]),
)

/** Positional layouts by id, to be named in a meter's configuration; none is ever tried on its own. */
export const positionalLayouts: ReadonlyMap<string, PositionalLayout> = new Map(
  [iskraEnergy, iskraPower, kaifaList1, kaifaList2One, kaifaList2Three, kaifaList3One, kaifaList3Three].map((data) => [
    data.id,
    checkLayout(data as PositionalLayout),
  ]),
)
