import { join } from 'node:path';
import type { Engine } from '../../base/duckdb/engine.ts';
import { told } from '../../contract/warning.ts';
import { applyChain } from '../../customers/filters/filter-chain.ts';
import { copyDecisionsToCsv } from '../../database/decisions/decisions.ts';
import { currentRun } from '../../database/runs/runs.ts';
import { withEngine } from '../run/in-stage.ts';
import { inputOf, type Parts, writeParts } from '../run/parts.ts';
import type { StageResult } from '../run/stage.ts';
import type { BatchContext, BatchStage } from './batch-stage.ts';
import { type ChainCounts, filterCollapse } from './filter-collapse.ts';
import { collapsed, missingEverywhere, missingWarnings } from './missing-everywhere.ts';
import { offersSince, openPastOffers } from './offer-history.ts';
import { outsideMarketplaces } from './outside-marketplaces.ts';
import { sharedCaps } from './shared-caps.ts';
import { unknownIds } from './unknown-ids.ts';

/** Writes the decisions of published runs up to the slot to a CSV file; resolves to their number. */
export type CopyDecisions = typeof copyDecisionsToCsv;

/**
 * Removes the candidates who fail a filter of the chain; the first filter that fails counts. Writes `kept.parquet`
 * and `removed.parquet`, both by customer_id, so that the same input makes the same files.
 * @throws HF_CANDIDATES_COLLAPSED, HF_COLUMN_MISSING, HF_EXPRESSION_INVALID, HF_MANIFEST_INVALID, HF_INTERRUPTED, HF_DISK_FULL
 */
export const filter: BatchStage = (context) => filterCandidates(context, copyDecisionsToCsv, currentChain);

/** What the chain did for the batch that this one would replace; undefined where there is none. */
export type CurrentChain = (context: BatchContext) => Promise<ChainCounts | undefined>;

/** The stage with its source of decisions, and of the current batch, given. */
export async function filterCandidates(
  context: BatchContext,
  copyDecisions: CopyDecisions,
  chainOfCurrent: CurrentChain,
): Promise<StageResult> {
  return writeParts(context, 'filter', (parts) =>
    withEngine(context, 'filter', (engine) => filterInto(parts, engine, context, copyDecisions, chainOfCurrent)),
  );
}

async function filterInto(
  parts: Parts,
  engine: Engine,
  context: BatchContext,
  copyDecisions: CopyDecisions,
  chainOfCurrent: CurrentChain,
): Promise<StageResult> {
  const { identity, spec: program } = context;
  const extracted = inputOf(context, 'extract');
  const rowsIn = extracted.manifest.parts.find(({ path }) => path === 'candidates.parquet')?.rows ?? 0;
  context.progress(0, rowsIn);
  const offers = await openPastOffers(engine, {
    pastOffers: join(extracted.folder, 'offers.parquet'),
    decisions: await recentDecisions(context, copyDecisions),
    slot: identity.slot,
    programs: [...new Set([identity.owner, program.programId])],
    timeZone: program.timeZone,
  });
  const candidates = join(extracted.folder, 'candidates.parquet');
  const outcome = await applyChain(engine, program, candidates, offers);
  const broken = await missingEverywhere(engine, program, candidates);
  const current = await chainOfCurrent(context);
  const caps = new Set(sharedCaps(program).map(({ filterId }) => filterId));
  const failure =
    collapsed(broken, outcome.kept, current !== undefined, program.quality) ??
    filterCollapse({ rows: rowsIn, removed: outcome.removed }, current, caps, program.quality);
  if (failure !== undefined) throw failure;
  await parts.write(engine, 'kept.parquet', outcome.keptRows);
  await parts.write(engine, 'removed.parquet', outcome.removedRows);
  const counts = { removed: outcome.removed };
  const artifact = await parts.commit({ rows: outcome.kept, counts });
  context.progress(rowsIn, rowsIn);
  const warnings = [
    ...told('COLUMN_MISSING_IN_ROWS', missingWarnings(broken)),
    ...told('IDS_UNKNOWN', await unknownIds(engine, candidates, offers)),
    ...told('OUTSIDE_MARKETPLACES', await outsideMarketplaces(engine, program, candidates)),
  ];
  return { rowsIn, rowsOut: outcome.kept, counts, artifact, ...(warnings.length === 0 ? {} : { warnings }) };
}

async function currentChain({ database, identity }: BatchContext): Promise<ChainCounts | undefined> {
  const run = database === undefined ? undefined : await currentRun(database, identity);
  if (run === undefined) return undefined;
  const { rowsIn = 0, counts } = run.stages.find(({ name }) => name === 'filter') ?? {};
  const removed = counts?.['removed'];
  return { rows: rowsIn, removed: typeof removed === 'object' ? (removed as ChainCounts['removed']) : {} };
}

/** A CSV file of what Holdfast offered before, whichever its program; held-out customers count as offered. */
async function recentDecisions(context: BatchContext, copyDecisions: CopyDecisions): Promise<string | undefined> {
  const { database, identity, scratchFolder, signal } = context;
  if (database === undefined) return undefined;
  const file = join(scratchFolder, 'decisions.csv');
  await copyDecisions(
    database,
    {
      namespace: identity.namespace,
      program: identity.owner,
      since: offersSince(identity.slot),
      slot: identity.slot,
    },
    file,
    signal,
  );
  return file;
}
