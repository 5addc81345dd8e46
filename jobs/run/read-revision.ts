import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '../../base/errors.ts';
import type { Revision } from '../../contract/revision.ts';
import type { TaskSettings } from '../../contract/task-environment.ts';

/**
 * The spec that the run is pinned to, down to the byte.
 * @throws HF_MANIFEST_UNREADABLE, HF_MANIFEST_INVALID
 */
export async function readRevision<Spec>({ revision }: Pick<TaskSettings, 'revision'>): Promise<Spec> {
  const bytes = await readFile(revision.file).catch((cause: unknown) => {
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `the revision ${revision.file} cannot be read`, { cause });
  });
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== revision.digest) {
    throw new HoldfastError(
      'HF_MANIFEST_INVALID',
      `the revision ${revision.file} was changed: its SHA-256 is ${digest}, the run is pinned to ${revision.digest}`,
    );
  }
  return (JSON.parse(bytes.toString('utf8')) as Revision<Spec>).spec;
}
