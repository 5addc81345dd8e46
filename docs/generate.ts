import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { API_METRICS } from '../api/metrics.ts';
import { openapiDocument } from '../api/v1/openapi.ts';
import { ERROR_CODES, type FailureKind } from '../base/errors.ts';
import { WARNING_CODES } from '../contract/warning.ts';
import { DERIVED_COLUMNS, LATER_COLUMNS } from '../customers/columns/added-columns.ts';
import { CANDIDATE_COLUMNS, REJECTED_BECAUSE, WARNED_BECAUSE } from '../customers/columns/candidate.ts';
import type { ColumnDefinition } from '../customers/columns/column.ts';
import { MISSING_WORDS } from '../customers/columns/missing-words.ts';
import { ARM_COLUMNS, LIST_COLUMNS, type ListColumn } from '../customers/contact-list/list-columns.ts';
import { CONDITION_REASONS } from '../operator/decide/reasons.ts';
import { EVENT_REASONS } from '../operator/kube/events.ts';
import { METRICS } from '../operator/metrics.ts';
import { VERSION } from '../providers/artifacts/producer.ts';

const PERMANENCE: Readonly<Record<FailureKind, string>> = { terminal: 'yes', retry: 'no', 'not-yet': 'no, it waits' };

/** Writes the tables of docs/ from the source; with `--check` it only says whether the committed files are up to date. */
const PAGES: Readonly<Record<string, string>> = {
  'errors.md': errorsPage(),
  'reasons.md': reasonsPage(),
  'metrics.md': metricsPage(),
  'columns.md': columnsPage(),
  'list-columns.md': listColumnsPage(),
  'openapi.yaml': openapiPage(),
};

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { kind, meaning, remedy }]) =>
      `| \`${code}\` | ${PERMANENCE[kind]} | ${kind === 'terminal' ? 78 : 1} | ${meaning} | ${remedy} |`,
  );
  return page('base/errors.ts and contract/warning.ts', [
    '# Error codes',
    '',
    'Every failure has one of these codes. A *permanent* one stays until somebody changes something, so that trying the same',
    'again cannot help: a command, or a stage on a cluster, then ends with exit status 78 (`EX_CONFIG`), and the Job fails at',
    'once. All others end with 1, and a Job tries again. A code never changes its meaning and is never reused.',
    '',
    'What heals by itself: a server that is down or starting, a name that does not resolve, no connection left, a lock, a full',
    'disk. What does not: a malformed address, an unknown `sslmode`, a refused password or certificate, a database, table,',
    'column or file that is not there, a right that is missing. A wrong password is permanent since a server that is asked',
    'too often with it may lock the role.',
    '',
    '| code | permanent | exit status | what it means | what to do |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Warnings',
    '',
    'What `warnings` of `holdfast run --output json`, and findings of `holdfast validate` with the severity `warning`, may hold, each with a `code` of these and a `message`. They stop nothing.',
    '',
    '| code | what it means |',
    '|---|---|',
    ...Object.entries(WARNING_CODES).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
  ]);
}

function reasonsPage(): string {
  return page('operator/decide/reasons.ts and operator/kube/events.ts', [
    '# Reasons',
    '',
    'Why a condition of a program or a run is as it is (`kubectl get rr NAME -o yaml`, `kubectl describe`):',
    '',
    '| reason of a condition | what it means |',
    '|---|---|',
    ...Object.entries(CONDITION_REASONS).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |`),
    '',
    'A pod that cannot start may have another reason of Kubernetes’ own, which is passed on.',
    '',
    'What the operator says in events (`kubectl describe`, `kubectl events`):',
    '',
    '| reason of an event | type | what it means |',
    '|---|---|---|',
    ...Object.entries(EVENT_REASONS).map(([reason, { type, meaning }]) => `| \`${reason}\` | ${type} | ${meaning} |`),
  ]);
}

function metricsPage(): string {
  const ALERTS = [
    'groups:',
    '  - name: holdfast',
    '    rules:',
    '      - alert: HoldfastRunFailed',
    '        expr: holdfast_last_run_failed == 1',
    '        annotations:',
    '          summary: The last run of {{ $labels.program }} failed; `holdfast runs {{ $labels.program }}` says why.',
    '      - alert: HoldfastBatchOld',
    '        expr: time() - holdfast_current_batch_published_timestamp_seconds > 8 * 86400',
    '        annotations:',
    '          summary: The current batch of {{ $labels.program }} is older than a week and a day.',
    '      - alert: HoldfastRejects',
    '        expr: holdfast_current_batch_rejected_rows > 1000',
  ];
  return page('operator/metrics.ts and api/metrics.ts', [
    '# Metrics',
    '',
    'The operator answers at `/metrics` in the text format of Prometheus, without labels:',
    '',
    '| metric | type | what it is |',
    '|---|---|---|',
    ...Object.entries(METRICS).map(([name, { type, help }]) => `| \`${name}\` | ${type} | ${help} |`),
    '',
    'So does `holdfast serve`. Routes are told apart by their template; no label holds a path or a customer. Beside these',
    'there are the usual `process_*` and `nodejs_*` ones.',
    '',
    '| metric | type | labels | what it is |',
    '|---|---|---|---|',
    ...Object.entries(API_METRICS).map(
      ([name, { type, labels, help }]) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    ),
    '',
    '## Alerts',
    '',
    'The figures of runs are those that their JSON and `holdfast runs` give. As rules of Prometheus:',
    '',
    '```yaml',
    ...ALERTS,
    '```',
  ]);
}

function columnsPage(): string {
  return page('customers/columns/', [
    '# Columns of a candidate',
    '',
    'As they lie in the Parquet files of a run; [guides/data.md](guides/data.md) says where these are.',
    '',
    'What the query of a connector gives, by name. Other columns of the query ride along unchanged.',
    '',
    ...columnTable(CANDIDATE_COLUMNS),
    '',
    `A query may also give \`${REJECTED_BECAUSE}\`: a text that sets the row apart, reasons with \`; \` between them and no`,
    'value of the row among them. Where it is empty or missing the row passes; the column goes no further.',
    `\`${WARNED_BECAUSE}\` is the same of what is odd and lets the row pass: the run warns of it, with its rows.`,
    '',
    'Where a number or a truth is due, a text that stands for a missing value is one:',
    `${MISSING_WORDS.filter((word) => word !== '')
      .map((word) => `\`${word}\``)
      .join(' ')}, in whatever case, or nothing at all.`,
    '',
    'What `extract` adds:',
    '',
    ...columnTable(DERIVED_COLUMNS),
    '',
    'What `filter`, `score` and `offer` add, in this order:',
    '',
    // What a stage makes is within its bounds: none of it is rejected.
    ...columnTable(LATER_COLUMNS.map(({ name, type, unit, description }) => ({ name, type, unit, description }))),
  ]);
}

function listColumnsPage(): string {
  const table = (columns: readonly ListColumn[]) => [
    '| column | type in Parquet | meaning |',
    '|---|---|---|',
    ...columns.map(({ name, type, meaning }) => `| \`${name}\` | ${type} | ${meaning} |`),
  ];
  return page('customers/columns/ and customers/contact-list/list-columns.ts', [
    '# Columns of the list of whom to contact',
    '',
    'As `holdfast candidates` writes them, in every format; [guides/list.md](guides/list.md) has examples.',
    '',
    ...table(LIST_COLUMNS),
    '',
    'With `--arm`, for analysis:',
    '',
    ...table(ARM_COLUMNS),
  ]);
}

function columnTable(columns: readonly ColumnDefinition[]): string[] {
  const rows = columns.map(
    ({ name, type, unit, description, minimum, maximum }) =>
      `| \`${name}\` | ${type} | ${unit} | ${description} | ${bounds(minimum, maximum)} |`,
  );
  return ['| column | type | unit | meaning | else rejected |', '|---|---|---|---|---|', ...rows];
}

function bounds(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum === undefined) return maximum === undefined ? '' : `≤ ${maximum}`;
  return maximum === undefined ? `≥ ${minimum}` : `${minimum} to ${maximum}`;
}

function openapiPage(): string {
  const text = stringify(openapiDocument(VERSION), { lineWidth: 120, aliasDuplicateObjects: false });
  return `# DO NOT EDIT: generated from api/v1/ and customers/columns/ by \`make generate\`.\n${text}`;
}

function page(sources: string, lines: readonly string[]): string {
  return [`<!-- DO NOT EDIT: generated from ${sources} by \`make generate\`. -->`, ...lines, ''].join('\n');
}

const fileOf = (name: string) => new URL(name, import.meta.url);
const stale = Object.entries(PAGES).filter(
  ([name, text]) => !existsSync(fileOf(name)) || readFileSync(fileOf(name), 'utf8') !== text,
);
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.error(`docs/${name} is out of date: run \`make generate\``);
  if (stale.length > 0) process.exitCode = 1;
} else {
  for (const [name, text] of stale) writeFileSync(fileOf(name), text);
}
