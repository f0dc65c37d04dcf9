declare const boundedWh: unique symbol

/**
 * Energy in Wh after the household-day clip. Arithmetic loses the brand, so a sum of anything else does not compile.
 * Only `operators/privacy/bound-contributions.ts`, what stands below and the codec of `load.partials` make one.
 */
export type BoundedWh = number & { readonly [boundedWh]: true }

/** Nothing, which every bound lets through. */
export const noBoundedWh = 0 as BoundedWh

/** The sum of two bounded values of the same group, window, level and phase, in Wh. */
export function addBounded(a: BoundedWh, b: BoundedWh): BoundedWh {
  return (a + b) as BoundedWh
}
