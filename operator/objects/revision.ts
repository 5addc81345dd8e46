import { createHash } from 'node:crypto';
import { oncePer } from '../../base/once-per.ts';
import { nameOf } from '../../contract/name.ts';
import { REVISION_FILE, type Revision, readRevision, revisionText, textDigest } from '../../contract/revision.ts';
import type { ConfigMapObject } from '../kube/objects.ts';
import type { StageSettings } from '../settings/settings.ts';
import { ownerLabels } from './labels.ts';
import { type Owner, ownerReference, type PinnableObject, type PodsSpec } from './owner.ts';
import { storageOf } from './storage.ts';

/** What a run is pinned to, as the pods and the operator see it. */
export interface PinnedRevision {
  /** Name of its ConfigMap. */
  readonly name: string;
  readonly owner: Owner;
  readonly spec: PodsSpec;
  /** SHA-256 of the mounted file. */
  readonly digest: string;
  readonly image: string;
  /** SHA-256 of image and file: what the run's status holds of the revision besides its name. */
  readonly identity: string;
}

const IMAGE = 'image';

/**
 * The ConfigMap of an owner as it is now: named after its content, so all runs of one content share one.
 * @param object what has the owner's spec, and takes the ConfigMap with it when it goes
 */
export function buildRevision(owner: Owner, object: PinnableObject, settings: StageSettings): ConfigMapObject {
  const { image } = settings;
  const { text, identity } = contentOf(object.spec)(settings);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: revisionName(owner, identity),
      namespace: object.metadata.namespace,
      labels: { ...ownerLabels(owner), 'app.kubernetes.io/component': 'revision' },
      ownerReferences: [ownerReference(object)],
    },
    immutable: true,
    data: { [REVISION_FILE]: text, [IMAGE]: image },
  };
}

/** The `identity` of the revision of an owner as it is now. */
export function revisionIdentity({ spec }: Pick<PinnableObject, 'spec'>, settings: StageSettings): string {
  return contentOf(spec)(settings).identity;
}

/** Found out once for each generation of an owner, as that is how long a spec stays the same object. */
const contentOf = oncePer((spec: PodsSpec) =>
  oncePer((settings: StageSettings) => {
    const text = revisionText(revisionOf(spec, settings));
    return { text, identity: identityOf(settings.image, text) };
  }),
);

/**
 * Reads a ConfigMap that `buildRevision` made for that owner; undefined when it holds something else, such as
 * what somebody put in its place who may write ConfigMaps and nothing more.
 * @param identity what it must have; known of every run but those that an older version began. The name alone is too short
 * to rely on: who chooses both of two contents can find such that agree in so few digits.
 */
export function pinnedRevision(
  { metadata, data = {} }: ConfigMapObject,
  owner: Owner,
  identity?: string,
): PinnedRevision | undefined {
  const content = contentIn(data);
  if (content === undefined || metadata.name !== revisionName(owner, content.identity)) return undefined;
  if (identity !== undefined && identity !== content.identity) return undefined;
  // This is what was written, so that it can be read.
  return { name: metadata.name, owner, spec: pinnedSpec(data), ...content };
}

type Data = Readonly<Record<string, string>>;

const pinnedSpec = oncePer((data: Data) => readRevision<PodsSpec>(data[REVISION_FILE] ?? '').spec);

const contentIn = oncePer((data: Data): Omit<PinnedRevision, 'name' | 'owner' | 'spec'> | undefined => {
  const { [REVISION_FILE]: text, [IMAGE]: image } = data;
  if (text === undefined || image === undefined) return undefined;
  return { digest: textDigest(text), image, identity: identityOf(image, text) };
});

function identityOf(image: string, text: string): string {
  return createHash('sha256').update(`${image}\0${text}`).digest('hex');
}

/** Hexadecimal digits of the identity in a revision's name. */
const DIGITS = 20;
const LONGEST_OWNER = 63 - DIGITS - 1;

function revisionName({ name }: Owner, identity: string): string {
  return `${nameOf([name], LONGEST_OWNER)}-${identity.slice(0, DIGITS)}`;
}

/**
 * `enabled`, which a program has, is live and never pinned: one that is turned off and on again is no other. Storage is pinned as it
 * resolves now: a run never goes on with another database or volume than it began with.
 */
function revisionOf(given: PodsSpec, settings: StageSettings): Revision {
  const spec = 'enabled' in given ? { ...given, enabled: true } : given;
  const storage = storageOf(spec, settings);
  if ('missing' in storage) return { schemaVersion: 'v1alpha1', spec };
  const { secret, artifactsClaim, files } = storage;
  const resolved = {
    postgres: { secretRef: { name: secret.name, key: secret.key } },
    artifacts: { claimName: artifactsClaim },
    ...(files === undefined ? {} : { files }),
  };
  return { schemaVersion: 'v1alpha1', spec: { ...spec, storage: resolved } };
}
