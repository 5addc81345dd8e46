import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

/*
 * `make image` on machines with one builder or another. The builders here say what they were asked to do; npm run e2e
 * builds the image by it in earnest, with buildah.
 */
const ROOT = join(import.meta.dirname, '..');
const TOOLS = ['sh', 'sed', 'git', 'date', 'dirname', 'readlink', 'cat', 'make'];
const DIGEST = `sha256:${'0a'.repeat(32)}`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-make-image-'));
  await mkdir(join(folder, 'bin'));
  for (const tool of TOOLS) {
    const path = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    await symlink(path, join(folder, 'bin', tool));
  }
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** @param running whether it does more than to be there: the docker command without its service cannot build */
async function builder(name: string, running = true): Promise<void> {
  const file = join(folder, 'bin', name);
  const script = [
    '#!/bin/sh',
    `case $1 in`,
    `  info) exit ${running ? 0 : 1} ;;`,
    `  pull) exit 0 ;;`,
    `  inspect | image) echo "name@${DIGEST}" ;;`,
    `  *) printf '%s\\n' "$0" "$@" >> ${join(folder, 'asked')} ;;`,
    'esac',
  ];
  await writeFile(file, `${script.join('\n')}\n`);
  await chmod(file, 0o755);
}

async function makeImage(...variables: string[]) {
  const env = { PATH: join(folder, 'bin'), HOME: folder };
  const { status, stdout, stderr } = spawnSync('make', ['image', ...variables], { cwd: ROOT, env, encoding: 'utf8' });
  const asked = await readFile(join(folder, 'asked'), 'utf8').catch(() => '');
  const [program = '', ...args] = asked.trimEnd().split('\n');
  return { status, stdout, stderr, program: program.split('/').at(-1), args };
}

const optionOf = (args: readonly string[], name: string) => args[args.indexOf(name) + 1];
const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };

test.each([
  ['docker', ['docker', 'podman', 'buildah'], []],
  ['podman', ['podman', 'buildah'], []],
  ['buildah', ['buildah'], []],
  ['buildah', ['buildah'], ['docker']],
])('%s builds where there are %j, and %j without its service', async (expected, running, idle) => {
  for (const name of running) await builder(name);
  for (const name of idle) await builder(name, false);
  const made = await makeImage();
  expect([made.status, made.program, made.args[0], made.args.at(-1)]).toEqual([0, expected, 'build', '.']);
  expect(optionOf(made.args, '--tag')).toBe(`holdfast:${version}`);
  expect(made.stdout).toContain(`push        ${expected} push holdfast:${version}\n`);
});

test('where nothing can build, that is said, and what would help', async () => {
  await builder('docker', false);
  const { status, stderr } = await makeImage();
  expect(status).not.toBe(0);
  expect(stderr).toContain('neither docker, podman nor buildah works here; install one, or start the docker service');
});

test.each([
  ['ghcr.io/my-team/holdfast', `ghcr.io/my-team/holdfast:${version}`, 'image.repository=ghcr.io/my-team/holdfast\n'],
  ['localhost:5000/holdfast:2026', undefined, 'image.repository=localhost:5000/holdfast --set-string image.tag=2026\n'],
])('IMAGE=%s is what it is called, and what the chart is told', async (name, image, told) => {
  await builder('podman');
  const { args, stdout } = await makeImage(`IMAGE=${name}`);
  expect(optionOf(args, '--tag')).toBe(image ?? name);
  expect(stdout).toContain(told);
});

test('the base is the one of this Node, by the digest that it has now, unless one is given', async () => {
  await builder('docker');
  const { args, stderr } = await makeImage();
  const { devDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const base = `docker.io/library/node:${devDependencies.node}-bookworm-slim@${DIGEST}`;
  expect(args).toContain(`NODE_IMAGE=${base}`);
  expect(stderr).toContain(base);
  await rm(join(folder, 'asked'));
  const given = await makeImage('NODE_IMAGE=mirror.test/node@sha256:1', 'PLATFORM=linux/arm64', 'NPMRC=/some/npmrc');
  expect(given.args).toEqual(
    expect.arrayContaining([
      'NODE_IMAGE=mirror.test/node@sha256:1',
      '--platform=linux/arm64',
      'id=npmrc,src=/some/npmrc',
    ]),
  );
});

test.each(['docker', 'podman', 'buildah'])('%s gives the same commit the same labels and dates', async (name) => {
  await builder(name);
  const { args } = await makeImage();
  await rm(join(folder, 'asked'));
  expect((await makeImage()).args).toEqual(args);
  const labels = args.filter((_, index) => args[index - 1] === '--label');
  expect(labels.map((label) => label.replace(/=.*/, ''))).toEqual([
    'org.opencontainers.image.version',
    'org.opencontainers.image.revision',
    'org.opencontainers.image.created',
  ]);
  expect(labels[1]).toMatch(/=([0-9a-f]{40}(-dirty)?|unknown)$/);
  const epoch = name === 'docker' ? /^SOURCE_DATE_EPOCH=\d+$/ : /^\d+$/;
  expect(args.some((word) => epoch.test(word))).toBe(true);
});
