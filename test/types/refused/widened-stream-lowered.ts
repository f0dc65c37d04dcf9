// refused: is not assignable to parameter of type 'Lowering<Reading, Load, "aggregate" | "identified" | "pseudonymous" | "released", "released">'
import type { Stream } from '../../../pipelines/runtime/stream.ts'
import type { Label } from '../../../schemas/label.ts'
import type { Reading } from '../given.ts'
import { identified, release } from '../given.ts'

const widened: Stream<Reading, Label> = identified
widened.lower(release)
