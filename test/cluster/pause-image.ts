import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';

/** Holds a pod's namespaces. The name can never be pulled: `.test` is reserved. */
export const PAUSE_IMAGE = 'holdfast.test/pause:1';

/** Writes the image as an OCI archive and resolves to its path. Its one program waits for a signal, for ever. */
export async function writePauseImage(folder: string): Promise<string> {
  const root = join(folder, 'root');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'pause'), program(process.arch), { mode: 0o755 });
  const layer = await tar(root, ['pause']);

  const layout = join(folder, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  const blob = async (mediaType: string, content: Buffer) => {
    const digest = sha256(content);
    await writeFile(join(blobs, digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const json = (value: object) => Buffer.from(JSON.stringify(value));

  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const config = await blob(
    'application/vnd.oci.image.config.v1+json',
    json({
      architecture,
      os: 'linux',
      config: { Entrypoint: ['/pause'], User: '65535:65535' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  const manifest = await blob(
    'application/vnd.oci.image.manifest.v1+json',
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config,
      layers: [await blob('application/vnd.oci.image.layer.v1.tar', layer)],
    }),
  );
  const annotations = { 'io.containerd.image.name': PAUSE_IMAGE };
  await writeFile(join(layout, 'index.json'), json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  await writeFile(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  const archive = join(folder, 'pause.tar');
  await writeFile(archive, await tar(layout, ['oci-layout', 'index.json', 'blobs']));
  return archive;
}

/** What each processor does: ask the kernel to wait, again and again. */
const CODE: Readonly<Partial<Record<NodeJS.Architecture, { machine: number; code: readonly number[] }>>> = {
  x64: {
    machine: 62,
    // again: mov eax, 34 (pause); syscall; jmp again
    code: [0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7],
  },
  arm64: {
    machine: 183,
    // again: mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b again
    code: [0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9].flatMap(
      (word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24],
    ),
  },
};

const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const LOAD_ADDRESS = 0x400000n;

/** An ELF file of one segment (elf(5)): so small that nothing need be compiled, or found on the machine. */
function program(architecture: NodeJS.Architecture): Buffer {
  const known = CODE[architecture];
  if (known === undefined) throw new Error(`no pause program for ${architecture}`);
  const start = HEADER_BYTES + SEGMENT_BYTES;
  const file = Buffer.alloc(start + known.code.length);
  // 64 bits, little endian, version 1.
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(file);
  file.writeUInt16LE(2, 16); // An executable,
  file.writeUInt16LE(known.machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(LOAD_ADDRESS + BigInt(start), 24); // which starts behind the two headers.
  file.writeBigUInt64LE(BigInt(HEADER_BYTES), 32);
  file.writeUInt16LE(HEADER_BYTES, 52);
  file.writeUInt16LE(SEGMENT_BYTES, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, HEADER_BYTES); // To be loaded,
  file.writeUInt32LE(5, HEADER_BYTES + 4); // to read and to run.
  file.writeBigUInt64LE(LOAD_ADDRESS, HEADER_BYTES + 16);
  file.writeBigUInt64LE(LOAD_ADDRESS, HEADER_BYTES + 24);
  file.writeBigUInt64LE(BigInt(file.length), HEADER_BYTES + 32);
  file.writeBigUInt64LE(BigInt(file.length), HEADER_BYTES + 40);
  file.writeBigUInt64LE(0x1000n, HEADER_BYTES + 48);
  Buffer.from(known.code).copy(file, start);
  return file;
}

async function tar(folder: string, names: readonly string[]): Promise<Buffer> {
  const file = `${folder}.tar`;
  await run('tar', ['--create', '--owner=0', '--group=0', `--file=${file}`, `--directory=${folder}`, ...names]);
  return await readFile(file);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
