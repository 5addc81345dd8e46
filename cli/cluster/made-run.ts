import { rfc3339 } from '../../base/instant.ts';
import type { RetentionRunSpec } from '../../crds/index.ts';
import { API_VERSION } from '../../crds/index.ts';
import type { KubeObject } from '../../operator/kube/api.ts';
import { KubeError, RESOURCES } from '../../operator/kube/api.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { instantInName, nameOf } from '../../operator/objects/name.ts';
import type { Cluster } from './cluster.ts';

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
export async function makeManualRun(cluster: Cluster, wanted: Wanted, signal: AbortSignal): Promise<RunObject> {
  for (let number = 1; ; number++) {
    const name = runName(wanted, 'manual', number);
    const object = runObject(cluster, wanted, name, 'manual');
    const made = await createUnlessThere(cluster, object, signal);
    if (made !== undefined) return made;
  }
}

function runName({ program, pipeline, slot }: Wanted, how: string, number?: number): string {
  const parts = [program.metadata.name, instantInName(slot), ...(pipeline === 'batch' ? [] : [pipeline]), how];
  return nameOf([...parts, ...(number === undefined ? [] : [String(number)])]);
}

function runObject(
  { namespace }: Cluster,
  { program, pipeline, slot, dryRun }: Wanted,
  name: string,
  trigger: RetentionRunSpec['trigger'],
): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: RESOURCES.retentionRuns.kind,
    metadata: { name, namespace, labels: { 'holdfast.dev/program': nameOf([program.metadata.name]) } },
    spec: {
      programRef: { name: program.metadata.name },
      pipeline,
      slot: rfc3339(slot),
      trigger,
      dryRun,
      suspend: false,
      cancel: false,
    },
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
