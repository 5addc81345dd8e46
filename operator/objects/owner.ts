import type { KubeObject, OwnerReference } from '../kube/api.ts';
import type { StoredMetadata } from '../kube/objects.ts';

/** Makes an object go when its owner does. */
export function ownerReference(owner: KubeObject & { readonly metadata: StoredMetadata }): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
