import { availableParallelism } from 'node:os';
import { type Engine, openEngine } from '../../base/duckdb/engine.ts';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { printable } from '../../base/text/printable.ts';
import { customerId } from '../../customers/columns/customer-id.ts';
import { explainCustomer } from '../../customers/explanations/explain.ts';
import { explainFilterGroup } from '../../customers/explanations/explain-filter.ts';
import { explainScoredGroup, type ScoredGroupName } from '../../customers/explanations/explain-scored.ts';
import { type NoReasons, openReasoner, type Reasoner, reasonsOf } from '../../customers/explanations/reasons.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { Io } from '../io.ts';
import { openPastRun, type PastRun } from '../local/past-run.ts';
import { type CustomerReasons, customerText } from '../terminal/explain-customer.ts';
import { filterGroupText, type Place, scoredGroupText, writeReasons } from '../terminal/explain-group.ts';
import { terminalProgress } from '../terminal/progress.ts';

export interface ExplainOptions {
  readonly data: string;
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly run?: string;
  /** At most one of the next three, and none beside a customer. */
  readonly filter?: string;
  readonly candidates?: boolean;
  readonly belowThreshold?: boolean;
  readonly sample?: string;
  readonly seed?: string;
  readonly reasons?: string;
  readonly models?: string;
}

/** Most customers of a group that are shown, other than all. */
const LARGEST_SAMPLE = 10_000;
const USUAL_SAMPLE = 20;
/** Strongest reasons that are shown. */
const USUAL_REASONS = 3;
const MOST_REASONS = 256;
/** Seed of a sample when none is given. */
const USUAL_SEED = '1';
const MEMORY_MB = 1024;
/** Exit status where the run has no such customer, as for a program that is not there. */
const ABSENT = 78;

/** What is asked for: a customer or a group. */
type Question =
  | { readonly kind: 'customer'; readonly customer: string }
  | { readonly kind: 'filter'; readonly filterId: string; readonly size: number }
  | { readonly kind: 'scored'; readonly group: ScoredGroupName; readonly size: number | 'all' };

/**
 * Prints why a customer is, or is not, a candidate of a run (default: the newest that succeeded), or the same of a
 * whole group: those whom a filter removed, the candidates, or those below the lowest risk level.
 * @throws HF_NOT_FOUND when the program has not run here or its artifacts are gone; HF_USAGE, HF_ARTIFACT_CORRUPT
 */
export async function explain(
  program: string,
  customer: string | undefined,
  options: ExplainOptions,
  io: Io,
): Promise<number> {
  const question = questionOf(customer, options);
  const top = wholeNumber('--reasons', options.reasons, USUAL_REASONS, MOST_REASONS);
  const run = await openPastRun(program, options, io);
  await using engine = await openEngine({
    threads: question.kind === 'customer' ? 1 : availableParallelism(),
    memoryMb: MEMORY_MB,
    scratchFolder: run.folder.scratch,
  });
  const asked = { engine, run, program, top, options, io };
  switch (question.kind) {
    case 'customer':
      return await oneCustomer(asked, question.customer);
    case 'filter':
      return await filterGroup(asked, question);
    case 'scored':
      return await scoredGroup(asked, question);
  }
}

interface Asked {
  readonly engine: Engine;
  readonly run: PastRun;
  readonly program: string;
  readonly top: number;
  readonly options: ExplainOptions;
  readonly io: Io;
}

function questionOf(customer: string | undefined, options: ExplainOptions): Question {
  const { filter, candidates, belowThreshold } = options;
  const named = [
    ...(customer === undefined ? [] : ['a customer']),
    ...(filter === undefined ? [] : ['--filter']),
    ...(candidates === true ? ['--candidates'] : []),
    ...(belowThreshold === true ? ['--below-threshold'] : []),
  ];
  if (named.length === 0) {
    throw usage('name a customer, or a group: --filter ID, --candidates or --below-threshold');
  }
  if (named.length > 1) throw usage(`${named.join(' and ')} ask about different customers; give one of them`);
  if (customer !== undefined) {
    const idle = (['sample', 'seed'] as const).find((name) => options[name] !== undefined);
    if (idle !== undefined) throw usage(`--${idle} is for a group; it says nothing about one customer`);
    return { kind: 'customer', customer };
  }
  const size = options.sample === 'all' ? 'all' : wholeNumber('--sample', options.sample, USUAL_SAMPLE, LARGEST_SAMPLE);
  if (filter === undefined) {
    if (size === 'all' && options.output !== 'json') throw usage('--sample all needs --output json');
    return { kind: 'scored', group: candidates === true ? 'candidates' : 'below-threshold', size };
  }
  if (options.reasons !== undefined) throw usage('--reasons is for scored customers; a filter asks no model');
  if (size === 'all')
    throw usage(`--sample all is for --candidates and --below-threshold; --filter takes 1 to ${LARGEST_SAMPLE}`);
  return { kind: 'filter', filterId: filter, size };
}

function wholeNumber(option: string, text: string | undefined, usual: number, most: number): number {
  if (text === undefined) return usual;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw usage(`${option} ${text} is not a whole number from 1 to ${most}`);
  return value;
}

function usage(message: string): HoldfastError {
  return new HoldfastError('HF_USAGE', message);
}

async function oneCustomer({ engine, run, program, top, options, io }: Asked, asked: string): Promise<number> {
  const { spec, artifacts, record } = run;
  // A run of an earlier version knows its customers as they came.
  let customer = customerId(asked);
  let explanation = await explainCustomer(engine, spec, artifacts, customer);
  if (explanation.outcome === 'not-extracted' && customer !== asked) {
    customer = asked;
    explanation = await explainCustomer(engine, spec, artifacts, customer);
  }
  const why =
    explanation.score === undefined ? undefined : await customerReasons({ engine, run, options }, customer, top);
  const { run: name, slot } = record;
  io.stdout.write(
    options.output === 'json'
      ? `${printable(
          JSON.stringify({
            program,
            run: name,
            slot: rfc3339(slot),
            customer,
            ...explanation,
            ...(why === undefined ? {} : { risk: why }),
          }),
        )}\n`
      : customerText(explanation, { program, run: name, slot, customer }, spec, why),
  );
  return explanation.outcome === 'not-extracted' ? ABSENT : 0;
}

type Reasoned = Pick<Asked, 'engine' | 'run' | 'options'>;

async function customerReasons(asked: Reasoned, customer: string, top: number): Promise<CustomerReasons> {
  const filtered = requireArtifact(asked.run, 'filter');
  const opened = await openReasons(asked);
  if (!('explain' in opened)) return opened;
  await using reasoner = opened;
  const { modelId, method, measure } = reasoner;
  const why = await reasonsOf(asked.engine, reasoner, filtered, customer);
  if (why === undefined) return { unavailable: 'the features of this customer are not in the batch' };
  return { modelId, method, measure, ...why, reasons: why.reasons.slice(0, top) };
}

function openReasons({ engine, run, options }: Reasoned): Promise<Reasoner | NoReasons> {
  return openReasoner({
    engine,
    program: run.spec,
    filtered: requireArtifact(run, 'filter'),
    modelFolder: options.models ?? run.baseFolder,
    threads: availableParallelism(),
  });
}

async function filterGroup(
  { engine, run, program, options, io }: Asked,
  { filterId, size }: Question & { kind: 'filter' },
): Promise<number> {
  const seed = options.seed ?? USUAL_SEED;
  const artifacts = {
    extract: requireArtifact(run, 'extract'),
    filter: requireArtifact(run, 'filter'),
    store: run.artifacts['store'],
  };
  const group = await explainFilterGroup(engine, run.spec, artifacts, filterId, { size, seed });
  const place = placeOf(program, run);
  io.stdout.write(
    options.output === 'json'
      ? `${printable(JSON.stringify({ ...place, ...group, seed }))}\n`
      : filterGroupText(group, place, seed),
  );
  return 0;
}

async function scoredGroup(asked: Asked, { group, size }: Question & { kind: 'scored' }): Promise<number> {
  const { engine, run, program, top, options, io } = asked;
  const artifacts = {
    filter: requireArtifact(run, 'filter'),
    score: requireArtifact(run, 'score'),
    // What was stored, and before that what was offered.
    decisions: run.artifacts['store'] ?? requireArtifact(run, 'offer'),
  };
  const opened = await openReasons(asked);
  await using reasoner = 'explain' in opened ? opened : undefined;
  const place = placeOf(program, run);
  if (size === 'all') {
    await writeReasons({ engine, artifacts, group, reasoner: reasoner ?? opened, place, seed: options.seed, io });
    return 0;
  }
  const step = io.stderr.isTTY === true ? terminalProgress(io).step('explain') : undefined;
  const explained = await explainScoredGroup(engine, run.spec, artifacts, group, reasoner ?? opened, {
    size,
    seed: options.seed,
    top,
    signal: io.signal,
    progress: (done) => step?.advance(done),
  });
  step?.done(explained.customers, explained.sample.length);
  const why =
    reasoner === undefined
      ? { unavailable: 'unavailable' in opened ? opened.unavailable : '' }
      : { modelId: reasoner.modelId, method: reasoner.method, measure: reasoner.measure };
  io.stdout.write(
    options.output === 'json'
      ? `${printable(JSON.stringify({ ...place, ...explained, risk: why, seed: options.seed ?? null }))}\n`
      : scoredGroupText(explained, place, { ...why, top, seed: options.seed }, Object.values(run.spec.riskLevels)),
  );
  return 0;
}

function placeOf(program: string, { record }: PastRun): Place {
  return { program, run: record.run, slot: rfc3339(record.slot) };
}

function requireArtifact({ artifacts, record }: PastRun, stage: string): ArtifactReference {
  const artifact = artifacts[stage];
  if (artifact !== undefined) return artifact;
  throw new HoldfastError('HF_NOT_FOUND', `run ${record.run} ended before the stage ${stage}: there is no such group`);
}
