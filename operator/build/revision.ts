import { createHash } from 'node:crypto';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import { type Revision, revisionText } from '../../jobs/run/revision.ts';
import type { ConfigMapObject, ProgramObject } from '../objects.ts';
import type { StageSettings } from '../settings.ts';
import { storageOf } from './job.ts';
import { programLabels } from './labels.ts';
import { nameOf } from './name.ts';
import { ownerReference } from './owner.ts';
import { REVISION_FILE } from './revision-file.ts';

/** What a run is pinned to, as the pods and the operator see it. */
export interface PinnedRevision {
  /** Name of its ConfigMap. */
  readonly name: string;
  readonly spec: RetentionProgramSpec;
  /** SHA-256 of the mounted file. */
  readonly digest: string;
  readonly image: string;
}

const IMAGE = 'image';

/** The ConfigMap of a program as it is now: named after its content, so all runs of one content share one. */
export function buildRevision(program: ProgramObject, settings: StageSettings): ConfigMapObject {
  const { name, namespace } = program.metadata;
  const { image } = settings;
  const text = revisionText(revisionOf(program, settings));
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: revisionName(name, image, text),
      namespace,
      labels: { ...programLabels(name), 'app.kubernetes.io/component': 'revision' },
      ownerReferences: [ownerReference(program)],
    },
    immutable: true,
    data: { [REVISION_FILE]: text, [IMAGE]: image },
  };
}

/**
 * Reads a ConfigMap that `buildRevision` made for a program of that name; undefined when it holds something else, such as
 * what somebody put in its place who may write ConfigMaps and nothing more.
 */
export function readRevision({ metadata, data }: ConfigMapObject, program: string): PinnedRevision | undefined {
  const text = data?.[REVISION_FILE];
  const image = data?.[IMAGE];
  if (text === undefined || image === undefined) return undefined;
  if (metadata.name !== revisionName(program, image, text)) return undefined;
  const digest = createHash('sha256').update(text).digest('hex');
  // The name is the digest of the content, so this is what was written.
  return { name: metadata.name, spec: (JSON.parse(text) as Revision).spec, digest, image };
}

/** Hexadecimal digits of the digest in a revision's name: 80 bits, so that no second content can be found for one. */
const DIGEST = 20;
const LONGEST_PROGRAM = 63 - DIGEST - 1;

function revisionName(program: string, image: string, text: string): string {
  const digest = createHash('sha256').update(`${image}\0${text}`).digest('hex').slice(0, DIGEST);
  return `${nameOf([program], LONGEST_PROGRAM)}-${digest}`;
}

/**
 * `enabled` is live and never pinned: turning a program off and on again is no other program. Storage is pinned as it
 * resolves now: a run never goes on with another database or volume than it began with.
 */
function revisionOf({ spec }: ProgramObject, settings: StageSettings): Revision {
  const storage = storageOf(spec, settings);
  if ('missing' in storage) return { schemaVersion: 'v1alpha1', spec: { ...spec, enabled: true } };
  const { secret, artifactsClaim, filesClaim } = storage;
  const resolved = {
    postgres: { secretRef: { name: secret.name, key: secret.key } },
    artifacts: { claimName: artifactsClaim },
    ...(filesClaim === undefined ? {} : { files: { claimName: filesClaim } }),
  };
  return { schemaVersion: 'v1alpha1', spec: { ...spec, enabled: true, storage: resolved } };
}
