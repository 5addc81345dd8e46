import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { type Pipelines, pipelineOf, type StageDefinition } from '../../contract/pipelines.ts';
import { retriedBefore, retryError, retryRefusal } from '../../contract/retriable.ts';
import { revisionDigest } from '../../contract/revision.ts';
import { slotError, slotOfRun } from '../../contract/slot-guard.ts';
import { triggerOfRetry } from '../../contract/trigger.ts';
import { told } from '../../contract/warning.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import { findRun, type RunRecord } from '../../database/runs/runs.ts';
import { succeededRetryOf } from '../../database/runs/succeeded-retry.ts';
import { isServer } from '../../providers/warehouses/index.ts';
import type { Io } from '../io.ts';
import { clock } from '../local/clock.ts';
import { type DataFolder, dataFolder } from '../local/data-folder.ts';
import { runNamed } from '../local/named-run.ts';
import { type Origin, readOrigin } from '../local/origin.ts';
import { keptRevision } from '../local/past-run.ts';
import { requireState, type State } from '../local/state.ts';
import { checkProviders } from './check-providers.ts';
import { readRunnable } from './manifests.ts';
import { inDataFolder, type Plan, type RunOptions, reported, runOn, type Seen } from './run.ts';
import { shardsOf, sourcesOf } from './run-options.ts';

export interface LocalRetryOptions extends Pick<RunOptions, 'output' | 'data' | 'now' | 'shards'> {
  readonly namespace: string;
  readonly program?: string;
  /** The first stage that is done again; the first that is not there, unless given. */
  readonly fromStage?: string;
}

/**
 * Does a run of a data folder again that did not succeed, for the same slot and with what it was pinned to; stages that it
 * committed are reused. Prints what `holdfast run` does.
 * @throws HF_RETRY_REFUSED, HF_NOT_FOUND, HF_USAGE, and as `run`
 */
export async function retryInFolder(run: string, options: LocalRetryOptions, io: Io): Promise<number> {
  return reported(options, io, async (seen) => {
    const folder = dataFolder(options.data);
    if (!requireState(folder, io)) throw gone(run, folder, 'is not in this data folder');
    return inDataFolder(folder, io, async (state) => {
      const plan = await planOf(state, run, folder, options, io);
      tellOf(plan, seen, io);
      await checkProviders(plan, stagesToDo(plan, io), io);
      return runOn(state, plan, folder, options, io);
    });
  });
}

function tellOf({ namespace, spec, pipeline, slot, dryRun, warnings = [] }: Plan, seen: Seen, io: Io): void {
  for (const { message } of warnings) io.stderr.write(`warning: ${message}\n`);
  seen.warnings.push(...warnings);
  seen.plan = { namespace, program: spec.programId, pipeline, slot: rfc3339(slot), dryRun };
}

/** The stages that are done again, as far as is known before they are looked at: what others would need is not asked for. */
function stagesToDo({ pipeline, retry }: Plan, { runnable }: Io): readonly StageDefinition[] {
  const stages = pipelineOf(pipeline, runnable?.table)?.stages ?? [];
  const done = new Set(retry?.of.stages.flatMap(({ name, artifact }) => (artifact === undefined ? [] : [name])));
  const { fromStage } = retry ?? {};
  const first = stages.findIndex(({ name }) => (fromStage === undefined ? !done.has(name) : name === fromStage));
  return stages.slice(first);
}

async function planOf(
  state: State,
  run: string,
  folder: DataFolder,
  options: LocalRetryOptions,
  io: Io,
): Promise<Plan> {
  const of = await requireRetriable(state, run, options, io.runnable?.table);
  const { pipeline } = of;
  if (pipelineOf(pipeline, io.runnable?.table) === undefined)
    throw refused(`${run} is a run of ${pipeline}, which this version does not know`);
  const now = clock(options.now, io);
  const { spec } = await keptRevision(folder.artifacts, of).catch((cause: unknown) => {
    if (!(cause instanceof HoldfastError && cause.code === 'HF_NOT_FOUND')) throw cause;
    const pruned = of.prunedAt === undefined ? 'is not in this data folder' : `was pruned at ${rfc3339(of.prunedAt)}`;
    throw gone(run, folder, pruned, cause);
  });
  const origin = await readOrigin(folder.artifacts, of);
  if (origin === undefined) throw gone(run, folder, 'is there, but not the folder that its files are in');
  const trigger = triggerOfRetry(of.trigger);
  const slot = slotOfRun({ pipeline, trigger, slot: of.slot, made: now() }, spec, undefined, io.runnable?.table);
  if ('reason' in slot) throw slotError(slot);
  // It is pinned to what that one was, and so to what its manifest warned of.
  const manifest = of.warnings
    .filter(({ code }) => code === 'MANIFEST')
    .map(({ code, message }) => ({ code, message }));
  const changed = told('MANIFEST_CHANGED', await changeSince(of, origin, io));
  return {
    namespace: of.namespace,
    spec,
    pipeline,
    slot,
    trigger,
    dryRun: false,
    baseFolder: origin.baseFolder,
    manifest: origin.manifest,
    connectors: {
      sources: sourcesAgain(spec, origin, io),
      ofSlot: origin.ofSlot,
      sampleCustomers: origin.sampleCustomers,
    },
    shards: shardsOf(options.shards),
    warnings: [...manifest, ...changed],
    now,
    retry: { of, fromStage: options.fromStage },
  };
}

/** A run of this machine that did not succeed, nor did a retry of it. */
async function requireRetriable(
  state: State,
  run: string,
  options: LocalRetryOptions,
  pipelines: Pipelines | undefined,
): Promise<RunRecord> {
  // Of a dry run there is no record; its name has the number 0.
  if (/-\d{8}t\d{6}z-0$/.test(run)) {
    throw refused(`${run} was a dry run, which leaves nothing to go on from: run the program again`);
  }
  const key = await runNamed(state, run, options);
  const record = await findRun(state.database, key);
  if (record === undefined) throw new HoldfastError('HF_NOT_FOUND', `there is no run ${run} of ${key.owner}`);
  const { pipeline, phase, runUid } = record;
  // We hold what a run of this machine would: one that seems to go on was killed.
  const tried = { run, pipeline, phase, isOver: runUid === undefined || phase !== 'Running', dryRun: false };
  const refusal =
    retryRefusal(tried, options.fromStage, pipelines) ??
    retriedBefore(run, await succeededRetryOf(state.database, key));
  if (refusal !== undefined) throw retryError(refusal);
  if (runUid === undefined) return record;
  throw refused(`${run} was a run of a cluster: retry it there`);
}

/** A sentence where the manifest is no longer what the run was pinned to: a retry does not do what it says now. */
async function changeSince({ run, revision }: RunRecord, { manifest }: Origin, io: Io): Promise<string[]> {
  if (manifest === undefined) return [];
  const changed = await readRunnable(manifest, { ...io, stderr: { write: () => true } }, io.now()).then(
    ({ program }) => revisionDigest({ schemaVersion: 'v1alpha1', spec: program.spec }) !== revision,
    () => true,
  );
  if (!changed) return [];
  return [
    `${manifest} has changed since ${run}, or cannot be read: this retry does what the run was pinned to; \`holdfast run\` does what the file says now`,
  ];
}

/** Where the run read: the files that it was given, and servers by the environment of now. */
function sourcesAgain(spec: RetentionProgramSpec, { sources }: Origin, io: Io): Record<string, string> {
  const given = sourcesOf(spec, [], io.environment, io.providers);
  // A version before this one did not keep them.
  if (sources === undefined) return given;
  const servers = spec.dataConnectors.filter((connector) => isServer(connector, io.providers?.warehouses));
  const connections = servers.flatMap(({ connectorId }) => {
    const url = given[connectorId];
    return url === undefined ? [] : [[connectorId, url] as const];
  });
  return { ...Object.fromEntries(connections), ...sources };
}

function gone(run: string, { path }: DataFolder, what: string, cause?: unknown): HoldfastError {
  const sentence = `what ${run} was pinned to ${what} (${path}), so it cannot be done again: run the program`;
  return new HoldfastError('HF_RETRY_REFUSED', sentence, { cause });
}

function refused(sentence: string): HoldfastError {
  return new HoldfastError('HF_RETRY_REFUSED', sentence);
}
