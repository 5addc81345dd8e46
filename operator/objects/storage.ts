import type { RetentionProgramSpec } from '../../crds/index.ts';
import type { StageSettings } from '../settings/settings.ts';

/** Where a program keeps its things: what it says itself, else what the operator is set to. */
export interface Storage {
  readonly secret: { readonly name: string; readonly key: string };
  readonly artifactsClaim: string;
  /** The volume of its files, as a pod has it. */
  readonly files: { readonly claimName: string } | { readonly configMapName: string } | undefined;
}

/** What a program, and the operator's settings, say about storage; or which of it nobody says. */
export function storageOf(
  { storage }: RetentionProgramSpec,
  settings: StageSettings,
): Storage | { readonly missing: string } {
  const secret = storage?.postgres?.secretRef ?? settings.postgresSecret;
  const artifactsClaim = storage?.artifacts?.claimName ?? settings.artifactsClaim;
  if (secret === undefined) return { missing: 'storage.postgres.secretRef' };
  if (artifactsClaim === undefined) return { missing: 'storage.artifacts.claimName' };
  return { secret, artifactsClaim, files: filesOf(storage?.files) };
}

function filesOf(files: NonNullable<RetentionProgramSpec['storage']>['files']): Storage['files'] {
  if (files?.configMapName !== undefined) return { configMapName: files.configMapName };
  return files?.claimName === undefined ? undefined : { claimName: files.claimName };
}
