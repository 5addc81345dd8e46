import type { StageSettings } from '../settings/settings.ts';
import type { PodsSpec } from './owner.ts';

/** Where an owner keeps its things: what it says itself, else what the operator is set to. */
export interface Storage {
  readonly secret: { readonly name: string; readonly key: string };
  readonly artifactsClaim: string;
  /** The volume of its files, as a pod has it. */
  readonly files: { readonly claimName: string } | { readonly configMapName: string } | undefined;
}

/** What an owner, and the operator's settings, say about storage; or which of it nobody says. */
export function storageOf(
  { storage }: Pick<PodsSpec, 'storage'>,
  settings: StageSettings,
): Storage | { readonly missing: string } {
  const secret = storage?.postgres?.secretRef ?? settings.postgresSecret;
  const artifactsClaim = storage?.artifacts?.claimName ?? settings.artifactsClaim;
  if (secret === undefined) return { missing: 'storage.postgres.secretRef' };
  if (artifactsClaim === undefined) return { missing: 'storage.artifacts.claimName' };
  return { secret, artifactsClaim, files: filesOf(storage?.files) };
}

function filesOf(files: NonNullable<PodsSpec['storage']>['files']): Storage['files'] {
  if (files?.configMapName !== undefined) return { configMapName: files.configMapName };
  return files?.claimName === undefined ? undefined : { claimName: files.claimName };
}
