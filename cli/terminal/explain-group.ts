import type { Engine } from '../../base/duckdb/engine.ts';
import { printable } from '../../base/text/printable.ts';
import type { FilterGroup } from '../../customers/explanations/explain-filter.ts';
import {
  firstScored,
  type ScoredArtifacts,
  type ScoredGroup,
  type ScoredGroupName,
  scoredCustomers,
} from '../../customers/explanations/explain-scored.ts';
import {
  type NoReasons,
  type Reasoner,
  type RiskReasons,
  reasonedBlocks,
  type ScoredCustomer,
} from '../../customers/explanations/reasons.ts';
import type { Io } from '../io.ts';
import { integer, scoreText } from './figures.ts';
import { amountText, reasonText } from './reason-text.ts';

/** The run that an answer is about. */
export interface Place {
  readonly program: string;
  readonly run: string;
  readonly slot: string;
}

/** Features that the summary of a group lists. */
const FEATURES_SHOWN = 10;

/** Those whom a filter removed, as text: what failed how often, near misses, a sample. */
export function filterGroupText(group: FilterGroup, place: Place, seed: string): string {
  const { filterId, asked, removed } = group;
  const lines = [
    `${filterId}  ${place.program}  as of ${place.slot}  ${place.run}`,
    '',
    `removed ${integer(removed)} of the ${integer(asked)} customers who came to this filter`,
  ];
  if (removed === 0) return `${lines.map(printable).join('\n')}\n`;
  lines.push('', `of these ${integer(removed)}`);
  lines.push(
    ...table(
      group.shortfalls.flatMap(({ text, customers, missing }) => [
        [integer(customers), share(customers, removed), text],
        ...(missing > 0 ? [[integer(missing), share(missing, removed), `(a value is missing) ${text}`]] : []),
      ]),
      'right',
    ),
  );
  if (group.nearMisses.length > 0) {
    lines.push('', 'would pass this filter if it wanted only (thresholds moved by 10 %, or by one step)');
    lines.push(
      ...table(
        group.nearMisses.map(({ text, customers }) => [integer(customers), share(customers, removed), text]),
        'right',
      ),
    );
  }
  lines.push('', `${integer(group.sample.length)} of them, drawn with the seed ${seed}`);
  lines.push(
    ...table(
      group.sample.map(({ customer, comparisons }) => {
        const failed = comparisons.filter(({ outcome }) => outcome !== 'passed');
        return [customer, (failed.length === 0 ? comparisons : failed).map(({ text }) => text).join('; ')];
      }),
      'left',
    ),
  );
  return `${lines.map(printable).join('\n')}\n`;
}

/** What is said of the reasons in a group beside the customers. */
interface ReasonsText {
  readonly top: number;
  readonly seed: string | undefined;
  readonly measure?: string;
  readonly unavailable?: string;
}

const TITLES: Readonly<Record<ScoredGroupName, string>> = {
  candidates: 'candidates',
  'below-threshold': 'scored, but below the lowest risk level',
};

/** Scored customers as text: how many, which features decide, and some of them with their reasons. */
export function scoredGroupText(
  group: ScoredGroup,
  place: Place,
  why: ReasonsText,
  thresholds: readonly number[],
): string {
  const lines = [
    `${TITLES[group.group]}  ${place.program}  as of ${place.slot}  ${place.run}`,
    '',
    [`${integer(group.customers)} customers`, counts(group.levels), counts(group.arms)]
      .filter((text) => text !== '')
      .join('   '),
  ];
  for (const { text, customers } of group.nearMisses) {
    lines.push(`${integer(customers)} of them would be candidates with ${text}`);
  }
  if (why.unavailable !== undefined) lines.push('', `reasons  none: ${why.unavailable}`);
  if (group.customers === 0) return `${lines.map(printable).join('\n')}\n`;
  if (why.measure !== undefined) {
    const shown = group.features.filter(({ meanSize }) => meanSize > 0).slice(0, FEATURES_SHOWN);
    if (shown.length === 0) lines.push('', 'reasons  none: no feature moves the score of any of them');
    else lines.push('', `among the ${why.top} strongest reasons of a customer, over all ${integer(group.customers)}`);
    if (shown.length > 0)
      lines.push(
        ...table(
          [
            ['raises', 'lowers', 'mean size', 'feature'],
            ...shown.map(({ feature, raises, lowers, meanSize }) => [
              integer(raises),
              integer(lowers),
              amountText(meanSize),
              feature,
            ]),
          ],
          'right',
        ),
        `(${why.measure})`,
      );
  }
  const drawn = why.seed === undefined ? 'the riskiest first' : `drawn with the seed ${why.seed}`;
  lines.push('', `${integer(group.sample.length)} of them, ${drawn}`);
  lines.push(
    ...table(
      group.sample.flatMap((customer) => customerRows(customer, thresholds)),
      'left',
    ),
  );
  return `${lines.map(printable).join('\n')}\n`;
}

/** A customer on as many lines as there are reasons. */
function customerRows(
  { customer, risk, level, arm, reasons = [] }: ScoredGroup['sample'][number],
  thresholds: readonly number[],
): string[][] {
  const [first = '', ...rest] = reasons.map(reasonText);
  return [
    [customer, scoreText(risk, thresholds), level ?? '', arm ?? '', first],
    ...rest.map((text) => ['', '', '', '', text]),
  ].map((cells) => cells.filter((_, column) => column < 2 || column === 4 || level !== null));
}

function counts(byName: Readonly<Record<string, number>>): string {
  return Object.entries(byName)
    .map(([name, customers]) => `${name} ${integer(customers)}`)
    .join('   ');
}

function share(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)} %`;
}

/** What a customer's id could do to a terminal. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Rows in columns as wide as their widest cell; the last is as long as it is. Numbers stand to the right. */
function table(rows: readonly (readonly string[])[], align: 'left' | 'right'): string[] {
  const printable = rows.map((row) => row.map((cell) => cell.replaceAll(UNPRINTABLE, '\uFFFD')));
  const widths: number[] = [];
  for (const row of printable) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return printable.map((row) => {
    const cells = row.map((cell, column) => {
      if (column === row.length - 1) return cell;
      return align === 'right' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}

interface Written {
  readonly engine: Engine;
  readonly artifacts: ScoredArtifacts;
  readonly group: ScoredGroupName;
  readonly reasoner: Reasoner | NoReasons;
  readonly place: Place;
  readonly seed: string | undefined;
  readonly io: Io;
}

/** Every customer of a group as a line of JSON with what each feature contributed; what that means goes to stderr. */
export async function writeReasons({ engine, artifacts, group, reasoner, place, seed, io }: Written): Promise<void> {
  const scored = scoredCustomers(artifacts, group, seed);
  const line = (customer: ScoredCustomer, why: object) =>
    `${printable(JSON.stringify({ ...place, ...customer, ...why }))}\n`;
  if (!('explain' in reasoner)) {
    io.stderr.write(`warning: no reasons: ${reasoner.unavailable}\n`);
    const all = await firstScored(engine, scored, Number.MAX_SAFE_INTEGER);
    for (const customer of all) io.stdout.write(line(customer, {}));
    return;
  }
  const { modelId, method, measure } = reasoner;
  io.stderr.write(`contributions are ${measure}\n`);
  for await (const { customers, reasons } of reasonedBlocks(engine, reasoner, artifacts.filter, scored)) {
    io.signal.throwIfAborted();
    const lines = customers.map((customer, index) => line(customer, { modelId, method, ...byFeature(reasons[index]) }));
    io.stdout.write(lines.join(''));
  }
}

/** Contributions and values by feature, the strongest first. */
function byFeature(why: RiskReasons | undefined): object {
  const { reasons = [], ...sums } = why ?? {};
  return {
    ...sums,
    contributions: Object.fromEntries(reasons.map(({ feature, contribution }) => [feature, contribution])),
    values: Object.fromEntries(reasons.map(({ feature, value }) => [feature, value])),
  };
}
