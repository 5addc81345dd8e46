import type { OwnerKind } from '../../contract/owner.ts';
import type { RetentionProgramSpec } from '../../crds/index.ts';
import type { KubeObject, OwnerReference } from '../kube/api.ts';
import type { StoredMetadata } from '../kube/objects.ts';

/** Whose the objects of a run are: the name of a program's object, or the id of a series. */
export interface Owner {
  readonly kind: OwnerKind;
  readonly name: string;
}

/** What the spec of an owner of any kind says about the pods of its runs: these fields mean the same in each. */
export type PodsSpec = Pick<RetentionProgramSpec, 'execution' | 'storage'> &
  Partial<Pick<RetentionProgramSpec, 'dataConnectors' | 'scoringModels' | 'holdout'>>;

/** An object of the API server whose spec runs are pinned to. */
export interface PinnableObject extends KubeObject {
  readonly metadata: StoredMetadata;
  readonly spec: PodsSpec;
}

export function programOwner({ metadata }: { readonly metadata: { readonly name: string } }): Owner {
  return { kind: 'program', name: metadata.name };
}

/** Makes an object go when that one does. */
export function ownerReference(owner: KubeObject & { readonly metadata: StoredMetadata }): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
