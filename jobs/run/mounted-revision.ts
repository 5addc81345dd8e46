import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import { readRevision, textDigest } from '../../contract/revision.ts';
import type { TaskSettings } from '../../contract/task-environment.ts';

/**
 * The spec that the run is pinned to, down to the byte.
 * @throws HF_MANIFEST_UNREADABLE, HF_MANIFEST_INVALID
 */
export async function mountedRevision<Spec>({ revision }: Pick<TaskSettings, 'revision'>): Promise<Spec> {
  const text = await readFile(revision.file, 'utf8').catch((cause: unknown) => {
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `the revision ${revision.file} cannot be read`, { cause });
  });
  const digest = textDigest(text);
  if (digest !== revision.digest) {
    throw new HoldfastError(
      'HF_MANIFEST_INVALID',
      `the revision ${revision.file} was changed: its SHA-256 is ${digest}, the run is pinned to ${revision.digest}`,
    );
  }
  return readRevision<Spec>(text).spec;
}
