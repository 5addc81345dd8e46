import type { Counts } from '../../contract/counts.ts';

/** Where an artifact lives, relative to the root of its store. */
export interface ArtifactKey {
  readonly namespace: string;
  readonly owner: string;
  readonly run: string;
  readonly stage: string;
  readonly attempt: number;
}

export interface ArtifactPart {
  /** File name within the artifact's folder, such as `candidates.parquet`. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  /** Lower-case hexadecimal SHA-256 of the file. */
  readonly sha256: string;
  readonly schema: readonly { readonly name: string; readonly type: string }[];
}

/**
 * `manifest.json` of an artifact: written last, so that a folder without one is not there.
 * It holds nothing of the run that made it, so two runs over the same input make equal manifests.
 */
export interface ArtifactManifest {
  readonly version: 1;
  readonly stage: string;
  /** Name and version of the program that wrote it. */
  readonly producer: string;
  readonly rows: number;
  readonly bytes: number;
  readonly parts: readonly ArtifactPart[];
  /** The stage's own counts, as in its result. */
  readonly counts: Counts;
  /** Digests of what it was made from, by name, where somebody must know whether it would be made the same again. */
  readonly madeFrom?: Readonly<Record<string, string>>;
}

export interface ArtifactReference {
  readonly key: ArtifactKey;
  /** SHA-256 of `manifest.json`. */
  readonly digest: string;
  /** Absolute path of the folder on this machine. */
  readonly folder: string;
  readonly manifest: ArtifactManifest;
}

/** A place being written: invisible until committed. */
export interface ArtifactDraft {
  /** Absolute path of a folder to write parts into. */
  readonly folder: string;
  /** Hashes the named parts, writes the manifest, and makes the artifact visible, whole. */
  commit(details: {
    readonly rows: number;
    readonly parts: readonly {
      readonly path: string;
      readonly rows: number;
      readonly schema: ArtifactPart['schema'];
    }[];
    readonly counts: Counts;
    readonly madeFrom?: ArtifactManifest['madeFrom'];
  }): Promise<ArtifactReference>;
  /**
   * Saves one part of an artifact that will not be committed, such as the rejects that a person must read,
   * and resolves to its absolute path. It stays until the next draft of the same key.
   */
  keep(part: string): Promise<string>;
  /** Removes what was written. Safe to call after `commit`, where it does nothing. */
  discard(): Promise<void>;
}
