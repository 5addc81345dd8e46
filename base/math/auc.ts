/**
 * Area under the receiver operating characteristic: the chance that a random positive is scored above a random
 * negative, a tie counting half (Mann and Whitney's U over the number of pairs).
 * @param scores any unit in which more means more likely positive
 * @param labels 1 for positive, 0 for negative, one per score
 * @returns from 0 to 1; NaN when one of the classes is empty, or when a score is NaN
 */
export function auc(scores: Float64Array, labels: Uint8Array): number {
  if (scores.length !== labels.length) {
    throw new RangeError(`auc: ${scores.length} scores, but ${labels.length} labels`);
  }
  const positives = select(scores, labels, true).sort();
  const negatives = select(scores, labels, false).sort();
  // Numbers that are not are sorted last.
  if (Number.isNaN(positives.at(-1) ?? 0) || Number.isNaN(negatives.at(-1) ?? 0)) return Number.NaN;
  let below = 0;
  let notAbove = 0;
  let wins = 0;
  for (const score of positives) {
    while (below < negatives.length && (negatives[below] as number) < score) below++;
    if (notAbove < below) notAbove = below;
    while (notAbove < negatives.length && (negatives[notAbove] as number) <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (positives.length * negatives.length);
}

function select(scores: Float64Array, labels: Uint8Array, positive: boolean): Float64Array {
  return scores.filter((_, index) => (labels[index] !== 0) === positive);
}
