import { createHash } from 'node:crypto';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { type Revision, revisionDigest, revisionText } from '../../jobs/run/revision.ts';
import type { ConfigMapObject, ProgramObject } from '../objects.ts';
import { programLabels } from './labels.ts';
import { nameOf } from './name.ts';
import { ownerReference } from './owner.ts';

/** What a run is pinned to, as the pods and the operator see it. */
export interface PinnedRevision {
  /** Name of its ConfigMap. */
  readonly name: string;
  readonly spec: RetentionProgramSpec;
  /** SHA-256 of the mounted file. */
  readonly digest: string;
  readonly image: string;
}

/** File within the mounted ConfigMap. */
export const REVISION_FILE = 'revision.json';
const IMAGE = 'image';

/** The ConfigMap of a program as it is now: named after its content, so all runs of one content share one. */
export function buildRevision(program: ProgramObject, image: string): ConfigMapObject {
  const { name, namespace } = program.metadata;
  const text = revisionText(revisionOf(program));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: nameOf([name, createHash('sha256').update(`${image}\0${text}`).digest('hex').slice(0, 12)]),
      namespace,
      labels: { ...programLabels(name), 'app.kubernetes.io/component': 'revision' },
      ownerReferences: [ownerReference(program)],
    },
    immutable: true,
    data: { [REVISION_FILE]: text, [IMAGE]: image },
  };
}

/** Reads a ConfigMap that `buildRevision` made; undefined when it holds something else. */
export function readRevision({ metadata, data }: ConfigMapObject): PinnedRevision | undefined {
  const text = data?.[REVISION_FILE];
  const image = data?.[IMAGE];
  if (text === undefined || image === undefined) return undefined;
  try {
    const revision = JSON.parse(text) as Revision;
    const digest = createHash('sha256').update(text).digest('hex');
    // A spec that was edited by hand would give other bytes when it is written again.
    return revisionDigest(revision) === digest
      ? { name: metadata.name, spec: revision.spec, digest, image }
      : undefined;
  } catch {
    return undefined;
  }
}

/** `enabled` is live and never pinned: turning a program off and on again is no other program. */
function revisionOf({ spec }: ProgramObject): Revision {
  return { schemaVersion: 'v1alpha1', spec: { ...spec, enabled: true } };
}
