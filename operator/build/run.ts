import { API_VERSION } from '../../crds/index.ts';
import type { KubeObject } from '../kube/api.ts';
import type { ProgramObject } from '../objects.ts';
import { programLabels } from './labels.ts';
import { instantInName, nameOf } from './name.ts';
import { ownerReference } from './owner.ts';

/** Name of a program's run at a slot. It is the lock: whoever makes the object of this name runs the slot. */
function scheduledRunName(program: string, slot: Date): string {
  return nameOf([program, instantInName(slot)]);
}

/** The run of a program at a slot of its schedule. */
export function buildRun(program: ProgramObject, slot: Date): KubeObject {
  const { name, namespace } = program.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionRun',
    metadata: {
      name: scheduledRunName(name, slot),
      namespace,
      labels: { ...programLabels(name), 'app.kubernetes.io/component': 'run' },
      ownerReferences: [ownerReference(program)],
    },
    spec: {
      programRef: { name },
      pipeline: 'batch',
      slot: slot.toISOString(),
      trigger: 'schedule',
      dryRun: false,
      suspend: false,
      cancel: false,
    },
  };
}
