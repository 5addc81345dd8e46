import { rename, rm, rmdir, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';

/** Name of the link beside the runs of a program. */
const CURRENT = 'current.parquet';

/**
 * Points `<artifacts>/<namespace>/<program>/current.parquet` at the decisions of the current batch, and resolves to
 * its path. At any moment it leads to the whole file of this batch or of the one before; where that run's files have
 * been removed, to nothing.
 */
export async function pointAtCurrent(artifactRoot: string, decisions: ArtifactReference): Promise<string> {
  const { namespace, owner } = decisions.key;
  const folder = join(artifactRoot, namespace, owner);
  const link = join(folder, CURRENT);
  const next = join(folder, `.${CURRENT}.next`);
  await rm(next, { force: true });
  await symlink(relative(folder, decisionsOf(decisions)), next);
  await rename(next, link);
  return link;
}

/** Removes the path of a program that is no more, and its folder where nothing else is left in it. */
export async function forgetProgram(
  artifactRoot: string,
  { namespace, owner }: Pick<ArtifactReference['key'], 'namespace' | 'owner'>,
): Promise<void> {
  const folder = join(artifactRoot, namespace, owner);
  for (const link of [CURRENT, `.${CURRENT}.next`]) await rm(join(folder, link), { force: true });
  await rmdir(folder).catch(() => {});
}

/** The Parquet file with the decisions of a run. */
export const decisionsOf = ({ folder }: ArtifactReference) => join(folder, 'decisions.parquet');
