import { rfc3339 } from '../../base/instant.ts';
import { API_VERSION } from '../../crds/index.ts';
import type { KubeObject } from '../kube/api.ts';
import type { ProgramObject } from '../kube/objects.ts';
import { programLabels } from './labels.ts';
import { instantInName, nameOf } from './name.ts';
import { ownerReference } from './owner.ts';

/**
 * Name of a program's run at a slot. It is the lock: whoever makes the object of this name runs the slot. The pipeline comes
 * last, where no name of another program can be mistaken for it.
 */
function scheduledRunName(program: string, slot: Date, pipeline: string): string {
  return nameOf([program, instantInName(slot), ...(pipeline === 'batch' ? [] : [pipeline])]);
}

/** The run of a program at a slot of its schedule. */
export function buildRun(program: ProgramObject, slot: Date, pipeline = 'batch'): KubeObject {
  const { name, namespace } = program.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionRun',
    metadata: {
      name: scheduledRunName(name, slot, pipeline),
      namespace,
      labels: { ...programLabels(name), 'app.kubernetes.io/component': 'run' },
      ownerReferences: [ownerReference(program)],
    },
    spec: {
      programRef: { name },
      pipeline,
      slot: rfc3339(slot),
      trigger: 'schedule',
      dryRun: false,
      suspend: false,
      cancel: false,
    },
  };
}
