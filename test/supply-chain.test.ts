import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFile(join(ROOT, file), 'utf8');

interface LockedPackage {
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
}

test('every package of the lockfile has its digest, and none names a registry', async () => {
  const { packages } = JSON.parse(await read('package-lock.json')) as { packages: Record<string, LockedPackage> };
  const others = Object.entries(packages).filter(([path, { link, inBundle }]) => path !== '' && !link && !inBundle);
  expect(others.length).toBeGreaterThan(500);
  expect(others.filter(([, { integrity = '' }]) => !/^sha512-[\w+/]{86}==$/.test(integrity))).toEqual([]);
  expect(others.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  expect(await read('.npmrc')).not.toMatch(/^[^#\n]*(registry=|:\/\/)/m);
});

test('an image is built on a base that is named by its digest', async () => {
  const dockerfile = await read('Dockerfile');
  expect(dockerfile.match(/^ARG NODE_IMAGE.*$/gm)).toEqual(['ARG NODE_IMAGE', 'ARG NODE_IMAGE']);
  expect([...new Set(dockerfile.match(/^FROM .*?(?= AS|$)/gm))]).toEqual(['FROM ${NODE_IMAGE}', 'FROM scratch']);
  const [, check = ''] = /^RUN (echo "\$NODE_IMAGE".*)$/m.exec(dockerfile) ?? [];
  const accepts = (image: string) =>
    spawnSync('sh', ['-c', check], { env: { ...process.env, NODE_IMAGE: image } }).status;
  const name = 'docker.io/library/node:26.10.0-bookworm-slim';
  expect(accepts(`${name}@sha256:${'0a'.repeat(32)}`)).toBe(0);
  expect(accepts('oci-archive:/tmp/base.tar')).toBe(0);
  expect(accepts(name)).toBe(1);
  expect(accepts(`${name}@sha256:${'0a'.repeat(16)}`)).toBe(1);
  expect(accepts('')).toBe(1);
});

test('licences stay in the image; sources, maps and what else nobody reads do not', async () => {
  const dockerfile = await read('Dockerfile');
  const [prune = ''] = /find node_modules -type f \\\(.*-delete/.exec(dockerfile) ?? [];
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-prune-'));
  try {
    const kept = [
      'LICENSE',
      'LICENSE.md',
      'license.md',
      'COPYING.md',
      'NOTICE.md',
      'ThirdPartyNotices.md',
      'README.md',
    ];
    const gone = ['index.d.ts', 'index.js.map', 'CHANGELOG.md', 'docs/guide.md'];
    for (const name of [...kept, ...gone, 'index.js']) {
      const file = join(folder, 'node_modules/@some/package', name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, '');
    }
    expect(spawnSync('sh', ['-c', prune], { cwd: folder }).status).toBe(0);
    const left = await readdir(join(folder, 'node_modules/@some/package'), { recursive: true });
    expect(left.sort()).toEqual([...kept, 'docs', 'index.js'].sort());
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(dockerfile).toContain('find /usr/share/doc -type f ! -name copyright -delete');
  expect(dockerfile).not.toMatch(/rm -rf [^&]*\/usr\/share\/doc/);
});
