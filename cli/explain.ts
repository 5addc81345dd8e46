import { readFile } from 'node:fs/promises';
import type { RetentionProgramSpec } from '../crds/retention-program.ts';
import type { ArtifactReference } from '../jobs/artifacts/artifact.ts';
import { openFolderStore } from '../jobs/artifacts/folder.ts';
import { openEngine } from '../jobs/columns/engine.ts';
import { HoldfastError } from '../jobs/errors.ts';
import { PIPELINES } from '../jobs/pipelines/pipelines.ts';
import { currentRun, findRun, type RunRecord } from '../jobs/postgres/runs.ts';
import { printable } from '../jobs/printable.ts';
import { type Explanation, explainCustomer, type FilterExplanation } from '../jobs/retention/explain.ts';
import { type Revision, revisionDigest } from '../jobs/run/revision.ts';
import { dataFolder, isDataFolder } from './data-folder.ts';
import type { Io } from './io.ts';
import { revisionPath } from './local-run.ts';
import { openState } from './state.ts';

export interface ExplainOptions {
  readonly data: string;
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly run?: string;
}

/**
 * Prints why a customer is, or is not, a candidate of a run (default: the newest that succeeded).
 * @throws HF_NOT_FOUND when the program has not run here or its artifacts are gone
 */
export async function explain(program: string, customer: string, options: ExplainOptions, io: Io): Promise<number> {
  const folder = dataFolder(options.data);
  if (!isDataFolder(folder)) {
    throw new HoldfastError(
      'HF_NOT_FOUND',
      `there is no state in ${folder.path}: run the program first, or give --data`,
    );
  }
  const record = await findRecord(folder, program, options, io);
  const revision = await readRevision(folder.artifacts, record);
  const artifacts = await openArtifacts(folder.artifacts, record);
  await using engine = await openEngine({ threads: 1, memoryMb: 512, scratchFolder: folder.scratch });
  const explanation = await explainCustomer(engine, revision.spec, artifacts, customer);
  const { run, slot } = record;
  io.stdout.write(
    options.output === 'json'
      ? `${printable(JSON.stringify({ program, run, slot: slot.toISOString(), customer, ...explanation }))}\n`
      : asText(explanation, { program, run, slot, customer }, revision.spec),
  );
  return explanation.outcome === 'not-extracted' ? 1 : 0;
}

async function findRecord(
  folder: ReturnType<typeof dataFolder>,
  program: string,
  { namespace, run }: ExplainOptions,
  io: Io,
): Promise<RunRecord> {
  await using state = await openState(folder, io);
  const of = { namespace, program };
  const record =
    run === undefined ? await currentRun(state.database, of) : await findRun(state.database, { ...of, run });
  if (record === undefined) {
    const what = run === undefined ? `no batch of ${program} has been published` : `${program} has no run ${run}`;
    throw new HoldfastError('HF_NOT_FOUND', `${what} in ${folder.path}`);
  }
  return record;
}

async function readRevision(root: string, record: RunRecord): Promise<Revision> {
  const file = revisionPath(root, record);
  try {
    const revision = JSON.parse(await readFile(file, 'utf8')) as Revision;
    if (revisionDigest(revision) === record.revision) return revision;
  } catch (cause) {
    throw new HoldfastError('HF_NOT_FOUND', `the revision of run ${record.run} is not in ${root}`, { cause });
  }
  throw new HoldfastError('HF_ARTIFACT_CORRUPT', `the revision of run ${record.run} was changed: ${file}`);
}

/**
 * The artifacts that the run got to, by stage.
 * @throws HF_ARTIFACT_CORRUPT when one of them is gone, was changed, or is not the one that this run made
 */
async function openArtifacts(root: string, record: RunRecord): Promise<Record<string, ArtifactReference>> {
  const store = openFolderStore(root);
  const { namespace, program, run, attempt } = record;
  const artifacts: Record<string, ArtifactReference> = {};
  for (const { name } of PIPELINES.batch) {
    const made = record.stages.find((stage) => stage.name === name)?.artifact;
    if (made === undefined) continue;
    const artifact = await store.open({ namespace, program, run, stage: name, attempt });
    if (artifact.digest !== made) {
      throw new HoldfastError(
        'HF_ARTIFACT_CORRUPT',
        `the artifact of stage ${name} in ${artifact.folder} is not the one that ${run} made: another database shares this data folder`,
      );
    }
    artifacts[name] = artifact;
  }
  return artifacts;
}

const LABEL = 10;

function asText(
  explanation: Explanation,
  { program, run, slot, customer }: { program: string; run: string; slot: Date; customer: string },
  spec: RetentionProgramSpec,
): string {
  const lines = [`${customer}  ${program}  as of ${slot.toISOString()}  ${run}`, ''];
  const line = (label: string, text: string) => lines.push(`${label.padEnd(LABEL)} ${text}`.trimEnd());
  line('outcome', outcomeText(explanation));
  if (explanation.outcome !== 'not-extracted' && explanation.outcome !== 'rejected') {
    line('signals', explanation.signals.length === 0 ? 'none' : explanation.signals.join(', '));
    line(
      '',
      Object.entries(explanation.figures)
        .map(([column, value]) => `${column} ${figure(value)}`)
        .join('   '),
    );
  }
  explanation.filters.forEach((filter, position) => line(position === 0 ? 'filters' : '', filterText(filter)));
  if (explanation.score !== undefined) {
    const { risk, level } = explanation.score;
    line('score', `${risk.toFixed(3)} ${level ?? `below ${spec.riskLevels.medium}, the lowest level`}`);
  }
  if (explanation.offer !== undefined) line('offer', offerText(explanation.offer));
  // Ids and values are what customers and upstreams made them.
  return `${lines.map(printable).join('\n')}\n`;
}

function outcomeText({ outcome, reasons, filters }: Explanation): string {
  switch (outcome) {
    case 'not-extracted':
      return "not extracted: the program's query did not return this customer (or the id is misspelt)";
    case 'rejected':
      return `rejected as bad data: ${reasons.join(', ')}`;
    case 'removed':
      return `removed by the filter ${filters.find(({ verdict }) => verdict === 'removed')?.filterId ?? ''}`;
    case 'below-threshold':
      return 'scored, but below the lowest risk level';
    case 'held-out':
      return 'candidate, held out: gets nothing, so that the effect of the offers can be measured';
    case 'candidate':
      return 'candidate';
    case 'unfinished':
      return 'the run ended before this customer was decided on';
  }
}

const MARKS = { passed: '✓', removed: '✗', 'not-reached': '·' } as const;
const WORST_FIRST = ['failed', 'missing', 'passed'];

function filterText({ filterId, verdict, comparisons }: FilterExplanation): string {
  // What removed a customer comes first.
  const ordered = [...comparisons].sort((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
  const shown = verdict === 'removed' ? ordered : comparisons;
  const text = verdict === 'not-reached' ? 'not reached' : shown.map((finding) => finding.text).join('; ');
  return `${MARKS[verdict]} ${filterId.padEnd(16)} ${text}`;
}

function offerText(offer: NonNullable<Explanation['offer']>): string {
  const parts = [
    offer.tier ?? 'no offer for this risk level',
    offer.kind === undefined ? undefined : `recommended ${offer.kind}`,
    offer.discount > 0 ? `${figure(offer.discount)} % off for ${offer.months} months` : undefined,
    offer.upgrade ? 'upgrade' : undefined,
    offer.personalCall ? 'personal call' : undefined,
    `${offer.arm} (epoch ${offer.epoch})`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function figure(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
}
