import { stringify } from 'yaml';
import type { FilterChain } from './filter-chain.ts';
import type { MissingColumn } from './missing-columns.ts';
import type { ProposedLevels } from './risk-levels.ts';

/** Everything that a proposed program says. */
export interface ManifestPlan {
  readonly programId: string;
  /** The file, as a person gave it. */
  readonly title: string;
  readonly marketplaces: readonly string[];
  readonly marketplaceAssumed: boolean;
  readonly connector: Connector;
  readonly query: string;
  /** Rows of the source that are set apart, where they are more than a program allows by itself. */
  readonly rejected: Rejected | undefined;
  /** Columns that a later source may lack. */
  readonly optional: readonly { readonly table: string; readonly column: string; readonly without: string }[];
  readonly model: {
    readonly modelId: string;
    readonly endpoint: string;
    readonly sha256: string;
    readonly manifestSha256: string;
    readonly features: readonly string[];
    /** What it is and how good, a sentence a line. */
    readonly comments: readonly string[];
  };
  readonly subscriptionTiers: readonly string[] | undefined;
  readonly levels: ProposedLevels;
  readonly chain: FilterChain;
  readonly missing: readonly MissingColumn[];
  /** Columns that serve nothing, and why. */
  readonly unused: readonly string[];
  /** What a person should know before all else. */
  readonly warnings: readonly string[];
}

export interface Rejected {
  readonly count: number;
  readonly rows: number;
  /** Share that the program allows. */
  readonly allowed: number;
}

export interface Connector {
  readonly connectorId: string;
  readonly type: 'duckdb' | 'postgres';
  /** Beside the query, in this order. */
  readonly config: Readonly<Record<string, string | boolean>>;
  readonly comments: readonly string[];
}

/** The program as commented YAML. */
export function manifestText(plan: ManifestPlan): string {
  const { programId, model, levels, chain } = plan;
  return [
    ...comment(`A retention program for ${plan.title}, proposed by holdfast init: read it before you trust it.`),
    '#',
    '#   holdfast run FILE          run it on this machine',
    '#   holdfast validate FILE     check it after a change',
    '#',
    '# In the query each column says which one of the source it is, how sure that is (from 0 to 1), and why.',
    ...plan.warnings.flatMap((warning) => ['#', ...comment(`WARNING: ${warning}`)]),
    'apiVersion: holdfast.dev/v1alpha1',
    'kind: RetentionProgram',
    'metadata:',
    `  name: ${scalar(programId)}`,
    'spec:',
    '  # Everything that the program writes is kept under this id, which never changes.',
    `  programId: ${scalar(programId)}`,
    `  programName: ${scalar(`Retention of ${programId}`)}`,
    ...(plan.marketplaceAssumed
      ? ['  # Assumed: no column says where a customer is. Change it here and in the query.']
      : []),
    `  marketplaces: [${plan.marketplaces.map((code) => JSON.stringify(code)).join(', ')}]`,
    '',
    ...connectorLines(plan),
    ...unusedLines(plan.unused),
    '',
    ...qualityLines(plan.rejected),
    ...modelLines(model),
    '',
    ...comment(levels.comment, 2),
    '  riskLevels:',
    `    critical: ${levels.critical}`,
    `    high: ${levels.high}`,
    `    medium: ${levels.medium}`,
    ...(plan.subscriptionTiers === undefined
      ? []
      : [
          '',
          '  # Lowest first.',
          `  subscriptionTiers: [${plan.subscriptionTiers.map((tier) => JSON.stringify(tier)).join(', ')}]`,
        ]),
    '',
    ...filterLines(chain),
    ...missingLines(plan.missing),
    '',
    ...OFFERS,
    '',
  ].join('\n');
}

function connectorLines({ connector, query, optional }: ManifestPlan): string[] {
  return [
    '  dataConnectors:',
    `    - connectorId: ${scalar(connector.connectorId)}`,
    `      type: ${connector.type}`,
    '      config:',
    ...connector.comments.flatMap((line) => comment(line, 8)),
    ...Object.entries(connector.config).map(([key, value]) => `        ${key}: ${scalar(value)}`),
    ...optionalLines(optional),
    ...queryLines(query),
  ];
}

function optionalLines(optional: ManifestPlan['optional']): string[] {
  if (optional.length === 0) return [];
  return [
    '        # A later source may lack these, since neither the filters nor the model read them: a run says which.',
    '        optionalColumns:',
    ...optional.flatMap(({ table, column, without }) => [
      `          - table: ${scalar(table)}`,
      `            column: ${scalar(column)}`,
      `            without: ${scalar(without)}`,
    ]),
  ];
}

/** The query as a block, where YAML keeps every character of it; else as one quoted text. */
function queryLines(query: string): string[] {
  const isPlain = /^[\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u.test(
    query,
  );
  if (!isPlain) return [`        query: ${JSON.stringify(query)}`];
  return ['        query: |', ...query.split('\n').map((line) => (line === '' ? '' : `          ${line}`))];
}

function qualityLines(rejected: Rejected | undefined): string[] {
  if (rejected === undefined) return [];
  const { count, rows, allowed } = rejected;
  return [
    ...comment(
      `Of the rows of the source ${count} of ${rows} are set apart: mend it, and lower this. Without it: 0.01.`,
      2,
    ),
    '  quality:',
    `    maxRejectedShare: ${allowed}`,
    '',
  ];
}

function unusedLines(unused: readonly string[]): string[] {
  if (unused.length === 0) return [];
  return ['    # No model is given:', ...unused.flatMap((line) => comment(`  ${line}`, 4))];
}

function modelLines({
  modelId,
  endpoint,
  sha256,
  manifestSha256,
  features,
  comments,
}: ManifestPlan['model']): string[] {
  return [
    ...comments.flatMap((line) => comment(line, 2)),
    '  scoringModels:',
    `    - modelId: ${scalar(modelId)}`,
    `      endpoint: ${scalar(endpoint)}`,
    `      sha256: "${sha256}"`,
    '      # Of the JSON beside it, which says what the score means.',
    `      manifestSha256: "${manifestSha256}"`,
    '      features:',
    ...features.map((feature) => `        - ${scalar(feature)}`),
  ];
}

function filterLines({ filters, leftOut }: FilterChain): string[] {
  return [
    '  # A customer is removed by the first filter that they fail; holdfast explain says which and why.',
    ...leftOut.flatMap(({ filterId, reason }) => comment(`Left out: ${filterId} (${reason}).`, 2)),
    '  filterChain:',
    ...filters.flatMap(({ filter, comment: words }, index) => {
      const parameters = Object.entries(filter.parameters ?? {});
      return [
        ...comment(words, 4),
        `    - filterId: ${filter.filterId}`,
        `      type: ${filter.type}`,
        `      order: ${index + 1}`,
        ...(parameters.length === 0 ? [] : ['      parameters:']),
        ...parameters.map(([key, value]) => `        ${key}: ${scalar(value)}`),
      ];
    }),
  ];
}

function missingLines(missing: readonly MissingColumn[]): string[] {
  if (missing.length === 0) return [];
  return [
    '',
    '  # Not found. A column of that name in the query is taken up at once by what reads it:',
    ...missing.flatMap(({ column, unit, neededBy }) =>
      comment(`  ${column}${unit === '' ? '' : ` [${unit}]`}: ${neededBy}`, 2),
    ),
  ];
}

const OFFERS = [
  '  # What each risk level may get: an example, to be changed.',
  '  offerStrategy:',
  '    segments:',
  '      - riskLevel: critical',
  '        offerType: premium',
  '        discount: 50 # percent',
  '        duration: 6 # months',
  '        includePersonalCall: true',
  '      - riskLevel: high',
  '        offerType: standard',
  '        discount: 30',
  '        duration: 3',
  '      - riskLevel: medium',
  '        offerType: engagement',
  '        discount: 15',
  '        duration: 1',
  '',
  '  # One candidate in ten gets nothing, so that the effect of the offers can be told from what would have',
  '  # happened anyway.',
  '  holdout:',
  '    share: 0.1',
  '',
  '  batchSchedule: cron(0 2 ? * MON *) # Mondays at 02:00 …',
  '  timeZone: UTC # … in this zone',
];

const WIDTH = 116;

/** Lines of a comment, broken where they would be too long. */
function comment(text: string, indent = 0): string[] {
  const lead = /^ */.exec(text)?.[0] ?? '';
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(' ')) {
    if (line !== '' && indent + 2 + lead.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${' '.repeat(indent)}# ${lead}${one}`);
}

/** A value as YAML, in quotes where some version of YAML would read its text as something else. */
function scalar(value: unknown): string {
  return stringify(value, {
    compat: 'yaml-1.1',
    lineWidth: 0,
    defaultStringType: 'PLAIN',
    defaultKeyType: 'PLAIN',
    blockQuote: false,
  }).trimEnd();
}
