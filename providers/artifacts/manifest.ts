import { HoldfastError } from '../../base/errors.ts';
import type { ArtifactManifest } from './artifact.ts';

/** File that makes a folder an artifact. */
export const MANIFEST = 'manifest.json';

/** The manifest as bytes: keys in the order of its type, so that equal manifests are equal files. */
export function encodeManifest(manifest: ArtifactManifest): Buffer {
  const { version, stage, producer, rows, bytes, parts, counts, madeFrom } = manifest;
  const ordered: ArtifactManifest = {
    version,
    stage,
    producer,
    rows,
    bytes,
    parts: parts.map((part) => ({
      path: part.path,
      rows: part.rows,
      bytes: part.bytes,
      sha256: part.sha256,
      schema: part.schema.map(({ name, type }) => ({ name, type })),
    })),
    // Their order means something: the filters are in the order of the chain.
    counts,
    ...(madeFrom === undefined ? {} : { madeFrom }),
  };
  return Buffer.from(`${JSON.stringify(ordered, undefined, 2)}\n`);
}

/** @throws HF_ARTIFACT_CORRUPT unless the bytes are a manifest that this version understands */
export function readManifest(encoded: Buffer, name: string): ArtifactManifest {
  try {
    const manifest = JSON.parse(encoded.toString('utf8')) as ArtifactManifest;
    if (manifest.version === 1 && manifest.parts.every(isPart)) return manifest;
  } catch (cause) {
    throw new HoldfastError('HF_ARTIFACT_CORRUPT', `${name} has a manifest that cannot be read.`, { cause });
  }
  throw new HoldfastError('HF_ARTIFACT_CORRUPT', `${name} has a manifest of another version.`);
}

function isPart(part: ArtifactManifest['parts'][number]): boolean {
  const plain = /^[a-z0-9][-a-z0-9.]*$/.test(part.path);
  return plain && Number.isInteger(part.rows) && Number.isInteger(part.bytes) && /^[0-9a-f]{64}$/.test(part.sha256);
}
