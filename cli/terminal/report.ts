import type { ErrorCode } from '../../base/errors.ts';
import { forShell, printable } from '../../base/text/printable.ts';
import type { Counts } from '../../contract/counts.ts';
import type { TruthComparison } from '../../providers/warehouses/sample/scores-beside-truth.ts';
import { bar, duration, integer, rate } from './figures.ts';
import { truthLines } from './truth-lines.ts';

/** A stage of a run, as a person reads it. */
export interface ReportedStage {
  readonly name: string;
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly seconds: number;
  readonly counts: Counts;
  /** The run that did it, where a retry did not do it again. */
  readonly reusedFrom?: string | undefined;
}

/** What `--output json` prints, whole. */
export interface RunReport {
  /** Empty where the run was refused before it had a name. */
  readonly run: string;
  /** The run that it is a retry of. */
  readonly retryOf?: string;
  /** These five only once the manifest has been read. */
  readonly namespace?: string;
  readonly program?: string;
  readonly pipeline?: string;
  /** The instant that the run is as of. */
  readonly slot?: string;
  readonly dryRun?: boolean;
  /** By the clock of the run, `--now` where it is given. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** How long it took, whatever its clock shows. Not where it was refused. */
  readonly seconds?: number;
  /** Of Holdfast. */
  readonly version: string;
  readonly phase: 'Succeeded' | 'Failed' | 'Interrupted' | 'Refused';
  readonly stages: readonly ReportedStage[];
  /** Where the run left its data; not of a dry run. */
  readonly data?: {
    /** Of a batch: the Parquet file of its candidates with their scores and offers. */
    readonly decisions?: string;
    /** A path that always leads to those of the current batch; only when this is it. */
    readonly current?: string;
    /** Folder of each stage's files. */
    readonly stages: Readonly<Record<string, string>>;
  };
  /** How the scores compare with the truth; only over the sample business, which is made up. */
  readonly truth?: TruthComparison;
  /** Only when the phase is not `Succeeded`. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** Where a person finds things after a run; relative paths are left as they are. */
export interface Places {
  /** How this program is called, for the commands that are shown. */
  readonly command: string;
  readonly slot: string;
  readonly rejects: string | undefined;
  /** The file with the candidates. */
  readonly data: string | undefined;
  readonly state: string;
  readonly database: string;
  /** A candidate to look at first. */
  readonly customer: string | undefined;
  /** What `explain` needs besides program and customer to find this run; undefined when it is the current batch. */
  readonly elsewhere: string | undefined;
  readonly program: string;
  readonly dryRun: boolean;
}

const LABEL = 10;
const FIGURE = 7;
/** Longest bar, in characters. */
const BAR = 8;
/** Filters shown on one line. */
const PER_LINE = 4;
const TIMES_PER_LINE = 2;

/** The funnel of a run and what to do next, as text. */
export function funnel(
  report: Pick<RunReport, 'run' | 'phase' | 'stages' | 'seconds' | 'truth'>,
  places: Places,
): string {
  const stage = (name: string) => report.stages.find((one) => one.name === name);
  const counts = (name: string, key: string) => nested(stage(name)?.counts, key);
  const lines: string[] = [`${report.run}  as of ${places.slot}${places.dryRun ? '  (dry run)' : ''}`, ''];
  const line = (label: string, figure: string, rest: string) =>
    lines.push(`${label.padEnd(LABEL)}${figure.padStart(FIGURE)}   ${rest}`.trimEnd());

  const extract = stage('extract');
  if (extract !== undefined) {
    const rejected = extract.rowsIn - extract.rowsOut;
    const file = rejected > 0 && places.rejects !== undefined ? ` → ${places.rejects}` : '';
    line('extract', integer(extract.rowsIn), `rejected ${integer(rejected)}${file}`);
  }
  const removed = Object.entries(counts('filter', 'removed')).map(([id, rows]) => `${id} ${minus(rows)}`);
  for (let from = 0; from < removed.length; from += PER_LINE) {
    line(from === 0 ? 'filter' : '', '', removed.slice(from, from + PER_LINE).join('   '));
  }
  const below = number(stage('score')?.counts, 'belowThreshold');
  if (below > 0) line('score', '', `below the lowest risk level ${minus(below)}`);

  const cache = counts('score', 'cache');
  const { rows = 0, hits = 0, repeated = 0, sent = 0 } = cache;
  if (rows > 0) {
    const known = `${Math.round((100 * (hits + repeated)) / rows)} % of ${integer(rows)} scores known`;
    line(
      below > 0 ? '' : 'score',
      '',
      `${known}: cached ${integer(hits)}   repeated ${integer(repeated)}   asked for ${integer(sent)}`,
    );
  }

  // What was stored; a dry run stores nothing.
  const final = (key: string, before: string) => (places.dryRun ? counts(before, key) : counts('store', key));
  const fallen = Object.entries(counts('store', 'removed')).filter(([, rows]) => rows > 0);
  if (fallen.length > 0) {
    const by = fallen.map(([id, rows]) => `${id} ${minus(rows)}`).join('   ');
    line('caps', '', `${by}   whom other programs decided on meanwhile`);
  }

  const levels = Object.entries(final('riskLevels', 'score'));
  const largest = Math.max(0, ...levels.map(([, rows]) => rows));
  const stored = stage('store');
  line(
    places.dryRun ? 'candidates' : 'stored',
    integer((places.dryRun ? stored?.rowsIn : stored?.rowsOut) ?? 0),
    levels.map(([level, rows]) => `${level} ${integer(rows)} ${bar(rows, largest, BAR)}`.trimEnd()).join('   '),
  );
  const counted = (key: string) => Object.entries(final(key, 'offer')).map(([one, rows]) => `${one} ${integer(rows)}`);
  const without = number(stage(places.dryRun ? 'offer' : 'store')?.counts, 'withoutOffer');
  const heldOut = `held out ${integer(final('arms', 'offer')['holdout'] ?? 0)}`;
  line('offers', '', [...counted('tiers'), ...(without > 0 ? [`none ${integer(without)}`] : []), heldOut].join('   '));
  const kinds = counted('kinds');
  if (kinds.length > 0) line('kinds', '', kinds.join('   '));

  if (report.truth !== undefined) {
    lines.push('');
    for (const [label, figure, rest] of truthLines(report.truth)) line(label, figure, rest);
  }

  lines.push('');
  const times = report.stages.map(({ name, seconds, rowsIn }) => {
    const speed = rate(rowsIn, seconds);
    return `${name} ${duration(seconds)}${speed === '' ? '' : ` (${speed})`}`;
  });
  for (let from = 0; from < times.length; from += TIMES_PER_LINE) {
    const [label, figure] = from === 0 ? ['took', duration(report.seconds ?? 0)] : ['', ''];
    line(label, figure, times.slice(from, from + TIMES_PER_LINE).join('   '));
  }
  if (places.data !== undefined) line('data', '', places.data);
  if (!places.dryRun) line('state', '', `${places.state}   holdfast.outreach_candidates in ${places.database}`);
  const options = places.elsewhere === undefined ? '' : ` ${places.elsewhere}`;
  if (!places.dryRun && (stored?.rowsOut ?? 0) > 0) {
    line(
      'list',
      integer(number(stored?.counts, 'toContact')),
      `${places.command} candidates ${places.program} --csv --out contact.csv${options}`,
    );
  }
  if (places.dryRun) line('next', '', 'the same without --dry-run');
  else if (places.customer !== undefined && isTypable(places.customer)) {
    line('next', '', `${places.command} explain ${places.program} ${forShell(places.customer)}${options}`);
  } else if (number(stage('store')?.counts, 'candidates') === 0) {
    // Where nobody is left, it matters most which filter it was.
    const [most] = Object.entries(counts('filter', 'removed')).sort(([, one], [, other]) => other - one);
    if (most !== undefined && most[1] > 0)
      line('next', '', `${places.command} explain ${places.program} --filter ${most[0]}${options}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Whether an id can be copied from a terminal and is no option. */
function isTypable(id: string): boolean {
  return printable(id) === id && !id.startsWith('-');
}

function minus(rows: number): string {
  return rows === 0 ? '0' : `−${integer(rows)}`;
}

function number(counts: Counts | undefined, key: string): number {
  const value = counts?.[key];
  return typeof value === 'number' ? value : 0;
}

function nested(counts: Counts | undefined, key: string): Readonly<Record<string, number>> {
  const value = counts?.[key];
  return typeof value === 'object' ? value : {};
}
