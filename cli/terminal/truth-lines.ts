import { wilson } from '../../base/math/reliability.ts';
import type { TruthComparison } from '../../providers/warehouses/sample/scores-beside-truth.ts';
import { integer } from './figures.ts';

/** Characters of a bar from 0 to 1. */
const BAR = 20;

/** Label, figure and text of each line that holds the scores against the truth. */
export function truthLines({
  levels,
  auc,
}: TruthComparison): readonly (readonly [label: string, figure: string, text: string])[] {
  return [
    ['belief', 'said', '(│) and what happens without an offer (▇), which a made-up business knows:'],
    ...levels.map(({ level, customers, said, happened }) => {
      // One customer who stayed is no proof that nobody leaves.
      const [low, high] = wilson(Math.round(happened * customers), customers);
      const margin = Math.max(happened - low, high - happened);
      const rest = `${reliability(said, happened)}  ${share(happened)} ± ${share(margin)} leave, of ${integer(customers)}`;
      return [level, share(said), rest] as const;
    }),
    [
      'AUC',
      area(auc.model),
      `oracle ${area(auc.oracle)}   last login alone ${area(auc.lastLogin)}   last purchase alone ${area(auc.lastPurchase)}`,
    ],
  ];
}

/** What happened as a bar, with a mark where the model said it would end. */
function reliability(said: number, happened: number): string {
  const cells: string[] = Array.from({ length: BAR }, (_, cell) => ((cell + 0.5) / BAR < happened ? '▇' : '·'));
  cells[Math.min(BAR - 1, Math.floor(said * BAR))] = '│';
  return cells.join('');
}

const share = (value: number) => value.toFixed(2);
const area = (value: number | null) => (value === null ? '–' : value.toFixed(2));
