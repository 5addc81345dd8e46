import { join } from 'node:path';
import { HoldfastError } from '../errors.ts';
import type { ArtifactKey } from './artifact.ts';

/** Letters, digits, dashes and single dots, as in a Kubernetes name: nothing that could leave the folder. */
const NAME = /^[a-z0-9](?:[-a-z0-9]|\.(?!\.))*$/;

/**
 * Folder of an artifact, relative to the root of its store.
 * @throws HF_INTERNAL when a part of the key is not a plain name
 */
export function keyFolder(key: ArtifactKey): string {
  const { namespace, program, run, stage, attempt } = key;
  for (const [part, value] of Object.entries({ namespace, program, run, stage })) {
    if (!NAME.test(value) || value.length > 253) {
      throw new HoldfastError('HF_INTERNAL', `An artifact cannot be keyed by ${part} ${JSON.stringify(value)}.`);
    }
  }
  if (!Number.isSafeInteger(attempt) || attempt < 0) {
    throw new HoldfastError('HF_INTERNAL', `An artifact cannot be keyed by attempt ${attempt}.`);
  }
  return join(namespace, program, run, stage, String(attempt));
}
