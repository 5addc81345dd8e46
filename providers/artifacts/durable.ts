import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Writes a file that must not be there yet, so that it survives a power cut. */
export async function writeDurably(path: string, bytes: Buffer): Promise<void> {
  await using handle = await open(path, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
}

/** Makes a file, or the names in a folder, survive a power cut. */
export async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** Size and SHA-256 of a file. */
export async function fingerprint(file: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') };
}

/** SHA-256 of bytes, in lower-case hexadecimal. */
export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
