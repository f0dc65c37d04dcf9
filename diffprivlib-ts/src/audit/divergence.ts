// What two probabilities of one event, p where the one world is true and q where the other is, imply about a privacy claim. Every claim
// holds for all events, so each figure here is a lower bound of what the mechanism must admit (data processing).
import { exp, ln } from '../numeric/double.ts'
import { normalQuantile } from './special.ts'

/** The epsilon that p <= e^epsilon q + delta forces. */
export const impliedEpsilon = (p: number, q: number, delta: number): number =>
  p - delta <= q ? 0 : q <= 0 ? Infinity : ln((p - delta) / q)

/** The mu of Gaussian differential privacy (Dong, Roth and Su, 2019) that p and q force: the distance of two unit normals told apart as well. */
export const impliedMu = (p: number, q: number): number => (p <= q ? 0 : normalQuantile(p) - normalQuantile(q))

/** The Renyi divergence of order alpha >= 1 between coins of bias p and q; that of order 1 is Kullback and Leibler's. */
export const coinRenyi = (p: number, q: number, order: number): number => {
  if (p <= q) return 0
  if (q <= 0) return Infinity
  const [heads, tails] = [ln(p / q), p >= 1 ? 0 : ln((1 - p) / (1 - q))]
  if (order === 1) return p * heads + (1 - p) * tails
  // q (p/q)^order + (1-q) ((1-p)/(1-q))^order, with the larger power taken out.
  const rest = p >= 1 ? 0 : (1 - q) * exp(order * (tails - heads))
  return (order * heads + ln(q + rest)) / (order - 1)
}

const orders = [1, 1.05, 1.1, 1.25, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128]

/** The rho of zero-concentrated privacy that p and q force: the largest Renyi divergence per order. */
export const impliedRho = (p: number, q: number): number =>
  orders.reduce((most, order) => Math.max(most, coinRenyi(p, q, order) / order), 0)
