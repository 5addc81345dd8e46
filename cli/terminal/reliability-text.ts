import type { Reliability } from '../../base/math/reliability.ts';
import { integer } from './figures.ts';

const WIDTH = 40;

/**
 * Reliability as lines of text: for each bin a scale from 0 to 1 with what was said (◇), what happened (●) and its
 * 95 % interval; the nearer the two, the more the scores are probabilities.
 */
export function reliabilityText({ bins }: Reliability): string[] {
  const filled = bins.filter(({ rows }) => rows > 0);
  const lines = filled.map(({ from, to, rows, predicted, observed, low, high }) => {
    const scale = Array.from({ length: WIDTH + 1 }, () => ' ');
    const at = (share: number) => Math.round(share * WIDTH);
    for (let place = at(low); place <= at(high); place++) scale[place] = '─';
    scale[at(predicted)] = '◇';
    scale[at(observed)] = '●';
    const range = `${from.toFixed(1)}–${to.toFixed(1)}`;
    return `  ${range}  ${integer(rows).padStart(9)}   ${predicted.toFixed(3)}  ${observed.toFixed(3)}   │${scale.join('')}│`;
  });
  return ['  score         rows    said   left    0 ◇ said, ● left, ─ 95 %                    1', ...lines];
}
