import { pathForShell } from '../../base/text/printable.ts';
import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import type { ProposedProgram } from '../init/program.ts';
import { unusedColumns } from '../init/program.ts';
import type { Proposal } from '../init/proposal.ts';
import type { ProposedModel } from '../init/proposed-model.ts';
import { shown } from '../init/words.ts';
import { integer } from './figures.ts';
import { outOfTimeLine, type TransactionReport, transactionLines, transactionReport } from './init-transactions.ts';
import { reliabilityText } from './reliability-text.ts';

/** What `--output json` prints. */
export interface InitReport {
  readonly manifest: string | undefined;
  readonly rows: number;
  /** Those that were read, of a large table in Postgres, and those of them that say what the columns hold. */
  readonly rowsRead: number;
  readonly rowsLookedAt: number;
  readonly mappings: readonly {
    readonly column: string;
    readonly source: string;
    readonly confidence: number;
    readonly reason: string;
  }[];
  readonly label: { readonly source: string; readonly confidence: number } | undefined;
  /** Where the rows are transactions. */
  readonly transactions: TransactionReport | undefined;
  /** Rows whose customers have left, or give notice of a later day, by columns beside the label. */
  readonly departed: readonly { readonly source: string; readonly left: number; readonly notice: number }[];
  readonly model: {
    readonly file: string;
    readonly kind: 'logistic-regression' | 'scorecard';
    readonly sha256: string;
    readonly calibrated: boolean;
    readonly features: readonly string[];
    readonly figures: Readonly<Record<string, number>>;
  };
  /** Of the customers looked at, those who reach the lowest risk level, and those of them whom the filters leave. */
  readonly reach: { readonly customers: number; readonly medium: number; readonly candidates: number };
  readonly missing: readonly { readonly column: string; readonly neededBy: string }[];
  readonly filters: readonly string[];
  readonly filtersLeftOut: readonly { readonly filterId: string; readonly reason: string }[];
  readonly notFeatures: readonly string[];
  /** Words that count as missing, by column, with the rows looked at that have them. */
  readonly takenAsMissing: Proposal['takenAsMissing'];
  readonly warnings: readonly string[];
  readonly reliability: NonNullable<ProposedModel['trained']>['reliability'] | undefined;
}

/** What was found and written. Columns are named, values never. */
export function reportOf(
  proposal: Proposal,
  model: ProposedModel,
  program: ProposedProgram,
  files: { readonly manifest: string | undefined; readonly model: string },
): InitReport {
  const { identity, label, mappings, leftOut } = proposal;
  const mapped = [{ column: 'customer_id', ...identity }, ...mappings];
  return {
    manifest: files.manifest,
    rows: identity.rows,
    rowsRead: proposal.inSample,
    rowsLookedAt: proposal.sampled,
    mappings: mapped.map(({ column, source, confidence, reason }) => ({
      column,
      source: shown(source.name),
      confidence,
      reason,
    })),
    label: label === undefined ? undefined : { source: shown(label.source.name), confidence: label.confidence },
    transactions: proposal.transactions === undefined ? undefined : transactionReport(proposal.transactions, model),
    departed: program.departed.map(({ source, left, notice }) => ({ source: shown(source.name), left, notice })),
    model: {
      file: files.model,
      kind: model.trained === undefined ? 'scorecard' : 'logistic-regression',
      sha256: model.manifest.sha256,
      calibrated: model.manifest.calibrated,
      features: model.manifest.features,
      figures: model.manifest.figures,
    },
    reach: program.reach,
    missing: program.missing.map(({ column, neededBy }) => ({ column, neededBy })),
    filters: program.chain.filters.map(({ filter }) => filter.filterId),
    filtersLeftOut: program.chain.leftOut,
    notFeatures: unusedColumns([...model.leaking, ...leftOut]),
    takenAsMissing: proposal.takenAsMissing,
    warnings: program.warnings,
    reliability: model.trained?.reliability,
  };
}

const NAME = Math.max(...CANDIDATE_COLUMNS.map(({ name }) => name.length)) + 2;

/** The report for a person. @param command how this program is called */
export function initReport(report: InitReport, command: string): string {
  const {
    mappings,
    missing,
    label,
    transactions,
    departed,
    model,
    filtersLeftOut,
    notFeatures,
    warnings,
    reliability,
  } = report;
  const { takenAsMissing } = report;
  const width = Math.max(...mappings.map(({ source }) => source.length));
  const found = mappings.map(
    ({ column, source, confidence, reason }) =>
      `  ${column.padEnd(NAME)}${source.padEnd(width)}  ${confidence.toFixed(2)}  ${reason}`,
  );
  const trained = label === undefined ? '' : `, trained to predict ${label.source}`;
  return [
    rowsLine(report),
    '',
    ...(transactions === undefined ? [] : transactionLines(transactions, NAME)),
    'found',
    ...found,
    '',
    'not found',
    ...missing.map(({ column, neededBy }) => `  ${column.padEnd(NAME)}${neededBy}`),
    ...(filtersLeftOut.length === 0
      ? []
      : [
          '',
          'filters left out',
          ...filtersLeftOut.map(({ filterId, reason }) => `  ${filterId.padEnd(NAME)}${reason}`),
        ]),
    ...(notFeatures.length === 0 ? [] : ['', 'not given to the model', ...notFeatures.map((line) => `  ${line}`)]),
    ...(takenAsMissing.length === 0
      ? []
      : ['', `taken as missing${part(report, report.rowsLookedAt, 'looked at')}`, ...takenAsMissing.map(missingLine)]),
    ...(departed.length === 0
      ? []
      : ['', `who has left${part(report, report.rowsRead, 'read')}`, ...departed.map(departedLine)]),
    '',
    `model       ${model.kind === 'scorecard' ? 'a scorecard that nobody trained' : `a logistic regression${trained}`}`,
    ...(reliability === undefined
      ? []
      : [
          figuresLine(model.figures),
          ...(transactions === undefined ? [] : [outOfTimeLine(transactions)]),
          '',
          ...reliabilityText(reliability),
        ]),
    '',
    reachLine(report.reach),
    ...warnings.map((warning) => `warning: ${warning}`),
    `wrote       ${[report.manifest, model.file].filter((file) => file !== undefined).join(', ')}`,
    ...(report.manifest === undefined ? [] : [`next        ${command} run ${pathForShell(report.manifest)}`]),
    '',
  ].join('\n');
}

function rowsLine({ rows, rowsRead, rowsLookedAt }: InitReport): string {
  const read = rowsRead < rows ? `${integer(rowsRead)} were read` : '';
  const looked = rowsLookedAt < rowsRead ? `${integer(rowsLookedAt)} looked at for what the columns hold` : '';
  const parts = [read, looked].filter((text) => text !== '').join(', and ');
  return `${integer(rows)} rows${parts === '' ? '' : `, of which ${parts}`}`;
}

/** Of how many rows figures are, where these are not all. */
function part({ rows }: InitReport, counted: number, how: string): string {
  return counted < rows ? `, of ${integer(counted)} rows ${how}` : '';
}

function reachLine({ customers, medium, candidates }: InitReport['reach']): string {
  return (
    `candidates  ${integer(candidates)} of ${integer(customers)} customers looked at: ${integer(medium)} reach the ` +
    `lowest risk level, and the filters leave ${integer(candidates)}`
  );
}

/** `  plan   None 100, n/a 3`, without the words that few rows have. */
function missingLine({ source, words }: InitReport['takenAsMissing'][number]): string {
  const all = Object.entries(words);
  const named = all.slice(0, MOST_WORDS).map(([word, rows]) => `${shown(word)} ${integer(rows)}`);
  return `  ${source.padEnd(NAME)}${[...named, ...(all.length > MOST_WORDS ? ['…'] : [])].join(', ')}`;
}

const MOST_WORDS = 5;

function departedLine({ source, left, notice }: InitReport['departed'][number]): string {
  const later = notice === 0 ? '' : `; ${integer(notice)} leave later: they gave notice, and stay candidates`;
  return `  ${source.padEnd(NAME)}${integer(left)} have left and are no candidates${later}`;
}

function figuresLine(figures: InitReport['model']['figures']): string {
  const { auc = 0, brier = 0, calibrationError = 0, holdoutRows = 0 } = figures;
  return (
    `            on ${integer(holdoutRows)} rows held out: AUC ${auc.toFixed(3)}, Brier ${brier.toFixed(4)}, ` +
    `calibration error ${calibrationError.toFixed(3)}`
  );
}
