import { rfc3339 } from '../../base/instant.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import { clusterRunName } from '../../contract/run-name.ts';
import { API_VERSION } from '../../crds/index.ts';
import type { KubeObject } from '../kube/api.ts';
import type { ProgramObject } from '../kube/objects.ts';
import { ownerLabels } from './labels.ts';
import { ownerReference, programOwner } from './owner.ts';

/** The run of a program at a slot of its schedule. */
export function buildRun(program: ProgramObject, slot: Date, pipeline: string = PUBLISHING): KubeObject {
  const { name, namespace } = program.metadata;
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionRun',
    metadata: {
      // The lock: whoever makes the object of this name runs the slot.
      name: clusterRunName(name, slot, pipeline),
      namespace,
      labels: { ...ownerLabels(programOwner(program)), 'app.kubernetes.io/component': 'run' },
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
