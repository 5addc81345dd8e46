import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../base/duckdb/engine.ts';
import { rfc3339 } from '../../base/instant.ts';
import type { PipelineName } from '../../contract/pipelines.ts';
import { riskiestCustomer } from '../../customers/explanations/explain.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { LocalRun, LocalRunResult } from '../local/local-run.ts';
import { near } from '../terminal/near.ts';
import { prunedIn, pruneText } from '../terminal/prune-report.ts';
import { funnel, type Places } from '../terminal/report.ts';
import { stageList } from '../terminal/stage-list.ts';

/** Where a run was done, as a person finds it again. */
export type RunPlaces = Pick<Places, 'command' | 'state' | 'database' | 'elsewhere'>;

/** What came of a run that succeeded, as text. */
type Summary = (
  result: LocalRunResult,
  run: Pick<LocalRun, 'spec' | 'slot' | 'dryRun'>,
  places: RunPlaces,
) => Promise<string>;

/** Of the pipelines that have more to say than what their stages counted. */
const SUMMARIES: Readonly<Partial<Record<PipelineName, Summary>>> = {
  batch: batchSummary,
  prune: async ({ report }, { spec, dryRun }) => pruneText(spec.programId, prunedIn(report), dryRun),
};

/** How a run of a pipeline is told to a person. */
export function summaryOf(pipeline: string): Summary {
  const own = Object.hasOwn(SUMMARIES, pipeline) ? SUMMARIES[pipeline as PipelineName] : undefined;
  return own ?? (async ({ report }) => stageList(report));
}

async function batchSummary(...[result, { spec, slot, dryRun }, places]: Parameters<Summary>): Promise<string> {
  const { extract } = result.artifacts;
  const decided = decidedIn(result);
  const { current, decisions } = result.report.data ?? {};
  const data = current ?? decisions;
  return funnel(result.report, {
    ...places,
    slot: rfc3339(slot),
    rejects: extract === undefined || dryRun ? undefined : near(join(extract.folder, 'rejects.parquet')),
    data: data === undefined ? undefined : near(data),
    customer: decided === undefined || dryRun ? undefined : await exampleCustomer(decided),
    program: spec.programId,
    dryRun,
  });
}

/** The artifact with the decisions of a batch: those that were stored, or else those that were offered. */
export function decidedIn({ artifacts }: Pick<LocalRunResult, 'artifacts'>): ArtifactReference | undefined {
  return artifacts['store'] ?? artifacts['offer'];
}

async function exampleCustomer(decided: ArtifactReference): Promise<string | undefined> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  return await riskiestCustomer(engine, decided);
}
