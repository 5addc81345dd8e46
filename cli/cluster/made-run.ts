import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { nameOf } from '../../contract/name.ts';
import { clusterRunName } from '../../contract/run-name.ts';
import { triggerOfRetry } from '../../contract/trigger.ts';
import type { RetentionRunSpec } from '../../crds/index.ts';
import { API_VERSION } from '../../crds/index.ts';
import type { KubeObject } from '../../operator/kube/api.ts';
import { KubeError, RESOURCES } from '../../operator/kube/api.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import type { Cluster } from './cluster.ts';
import { requireRun } from './find.ts';

/** What a person wants run. */
export interface Wanted {
  readonly program: ProgramObject;
  readonly pipeline: RetentionRunSpec['pipeline'];
  readonly slot: Date;
  readonly dryRun: boolean;
}

/**
 * Makes a run of a program, called after program, slot and how many of them a person made before it, as in
 * `churn-prevention-20261123t0200z-manual-2`.
 * @throws as `Cluster.ask`
 */
export function makeManualRun(cluster: Cluster, wanted: Wanted, signal: AbortSignal): Promise<RunObject> {
  return makeNumbered(cluster, wanted.program.metadata.name, specOf(wanted, 'manual'), signal);
}

/**
 * Makes another try of a run, of its program, pipeline and slot.
 * @throws as `Cluster.ask`
 */
export function makeRetry(
  cluster: Cluster,
  { metadata, spec, status }: RunObject,
  fromStage: string | undefined,
  signal: AbortSignal,
): Promise<RunObject> {
  const { programRef, pipeline, trigger, dryRun } = spec;
  const slot = status?.slot ?? spec.slot;
  return makeNumbered(
    cluster,
    programRef.name,
    {
      programRef,
      pipeline,
      ...(slot === undefined ? {} : { slot }),
      trigger: triggerOfRetry(trigger),
      retryOf: { name: metadata.name, uid: metadata.uid },
      ...(fromStage === undefined ? {} : { fromStage }),
      dryRun,
      suspend: false,
      cancel: false,
    },
    signal,
  );
}

/**
 * Makes the one backfill of a slot, or finds it: its name is the lock.
 * @throws HF_CLUSTER_CONFLICT where something else has its name, and as `Cluster.ask`
 */
export async function makeBackfill(
  cluster: Cluster,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<{ readonly run: RunObject; readonly isNew: boolean }> {
  const program = wanted.program.metadata.name;
  const spec = specOf(wanted, 'backfill');
  const name = runName(program, spec);
  const made = await createUnlessThere(cluster, runObject(cluster, name, program, spec), signal);
  if (made !== undefined) return { run: made, isNew: true };
  const run = await requireRun(cluster, name, signal);
  if (run.spec.trigger === 'backfill' && run.spec.programRef.name === program) return { run, isNew: false };
  throw new HoldfastError('HF_CLUSTER_CONFLICT', `the run ${name} is there, and is no backfill of ${program}`);
}

/** The first number that nobody took. */
async function makeNumbered(
  cluster: Cluster,
  program: string,
  spec: RetentionRunSpec,
  signal: AbortSignal,
): Promise<RunObject> {
  for (let number = 1; ; number++) {
    const object = runObject(cluster, runName(program, spec, number), program, spec);
    const made = await createUnlessThere(cluster, object, signal);
    if (made !== undefined) return made;
  }
}

function specOf({ program, pipeline, slot, dryRun }: Wanted, trigger: RetentionRunSpec['trigger']): RetentionRunSpec {
  const programRef = { name: program.metadata.name };
  return { programRef, pipeline, slot: rfc3339(slot), trigger, dryRun, suspend: false, cancel: false };
}

function runName(program: string, { slot, pipeline, trigger, retryOf }: RetentionRunSpec, number?: number): string {
  const more = [retryOf === undefined ? trigger : 'retry', ...(number === undefined ? [] : [String(number)])];
  return clusterRunName(program, slot === undefined ? undefined : new Date(slot), pipeline, { more });
}

function runObject({ namespace }: Cluster, name: string, program: string, spec: RetentionRunSpec): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: RESOURCES.retentionRuns.kind,
    metadata: { name, namespace, labels: { 'holdfast.dev/program': nameOf([program]) } },
    spec,
  };
}

/** Undefined where the name is taken. */
function createUnlessThere(cluster: Cluster, object: KubeObject, signal: AbortSignal): Promise<RunObject | undefined> {
  return cluster.ask('create', RESOURCES.retentionRuns, async (api) => {
    try {
      return (await api.create(RESOURCES.retentionRuns, object, signal)) as RunObject;
    } catch (error) {
      if (error instanceof KubeError && error.reason === 'AlreadyExists') return undefined;
      throw error;
    }
  });
}
