import { GATES, type GateName, type GateResult } from '../gates.ts';
import { FEWEST } from './withheld.ts';

/** Those that say a figure of one segment. */
const OF_SEGMENTS: ReadonlySet<GateName> = new Set([
  'smallestSegment',
  'lift',
  'interpretable',
  'largestSegment',
  'forwardOdds',
  'forwardRank',
]);

/** What leaves of gates where the count of a segment is withheld: which of them hold, and no figure of segments. */
export function toldGates(gates: readonly GateResult[]): GateResult[] {
  return gates.map((result) => {
    const { gate, limit, outcome } = result;
    if (!OF_SEGMENTS.has(gate) || outcome === 'NotApplicable') return result;
    const sentence = `${GATES[gate].meaning} ${limit}; the figure is withheld, since a segment has fewer than ${FEWEST} customers`;
    return { ...result, value: undefined, sentence };
  });
}
