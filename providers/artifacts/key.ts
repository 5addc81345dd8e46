import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactKey } from './artifact.ts';

/** Letters, digits, dashes and single dots, as in a Kubernetes name: nothing that could leave the folder. */
const NAME = /^[a-z0-9](?:[-a-z0-9]|\.(?!\.))*$/;
const LONGEST = 253;

export type OwnerFolderKey = Pick<ArtifactKey, 'namespace' | 'owner'>;
export type RunFolderKey = OwnerFolderKey & Pick<ArtifactKey, 'run'>;

/** Whether a folder may bear this name. */
export function isName(value: string): boolean {
  return NAME.test(value) && value.length <= LONGEST;
}

/**
 * Folder of an owner, relative to the root of its store.
 * @throws HF_INTERNAL when a part of the key is not a plain name
 */
export function ownerFolder({ namespace, owner }: OwnerFolderKey): string {
  return folder({ namespace, owner });
}

/**
 * Folder of a run, relative to the root of its store.
 * @throws HF_INTERNAL when a part of the key is not a plain name
 */
export function runFolder({ namespace, owner, run }: RunFolderKey): string {
  return folder({ namespace, owner, run });
}

/**
 * Folder of an artifact, relative to the root of its store.
 * @throws HF_INTERNAL when a part of the key is not a plain name
 */
export function keyFolder(key: ArtifactKey): string {
  const { namespace, owner, run, stage, attempt } = key;
  const path = folder({ namespace, owner, run, stage });
  if (!Number.isSafeInteger(attempt) || attempt < 0) {
    throw new HoldfastError('HF_INTERNAL', `An artifact cannot be keyed by attempt ${attempt}.`);
  }
  return join(path, String(attempt));
}

function folder(parts: Readonly<Record<string, string>>): string {
  for (const [part, value] of Object.entries(parts)) {
    if (!isName(value)) {
      throw new HoldfastError('HF_INTERNAL', `An artifact cannot be keyed by ${part} ${JSON.stringify(value)}.`);
    }
  }
  return join(...Object.values(parts));
}
