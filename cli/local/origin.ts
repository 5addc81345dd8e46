import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunIdentity } from '../../jobs/run/stage.ts';

type Of = Pick<RunIdentity, 'namespace' | 'owner' | 'run'>;

/** Where a run came from, kept beside its revision so that it can be explained, and done again. */
export interface Origin {
  /** Folder that relative paths in the manifest start from. */
  readonly baseFolder: string;
  /** Path of the manifest; absent where it was no file. */
  readonly manifest?: string;
  /** Files that were read in place of those of the manifest, by connector. Connections of servers are secrets. */
  readonly sources?: Readonly<Record<string, string>>;
  /** Of these the connectors whose file is the export of the slot's own day. */
  readonly ofSlot?: readonly string[];
  /** Size of the sample warehouse, where it was given. */
  readonly sampleCustomers?: number;
}

export async function keepOrigin(artifactRoot: string, of: Of, origin: Origin): Promise<void> {
  await writeFile(originPath(artifactRoot, of), `${JSON.stringify(origin)}\n`);
}

/** Undefined where it was not kept, or by a version that kept less. */
export async function readOrigin(artifactRoot: string, of: Of): Promise<Origin | undefined> {
  try {
    const origin = JSON.parse(await readFile(originPath(artifactRoot, of), 'utf8')) as Partial<Origin>;
    return typeof origin.baseFolder === 'string' ? { ...origin, baseFolder: origin.baseFolder } : undefined;
  } catch {
    return undefined;
  }
}

function originPath(artifactRoot: string, of: Of): string {
  return join(artifactRoot, of.namespace, of.owner, of.run, 'origin.json');
}
