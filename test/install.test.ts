import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

let prefix: string;
beforeEach(async () => {
  prefix = await mkdtemp(join(tmpdir(), 'holdfast install-'));
});
afterEach(() => rm(prefix, { recursive: true, force: true }));

/** Without `setup`, which would install what is here already. */
const make = (target: string) =>
  spawnSync('make', ['--old-file=setup', target, `PREFIX=${prefix}`], { cwd: ROOT, encoding: 'utf8' });

test('make install puts the command on the PATH, by whose name it then calls itself; uninstall takes it away', async () => {
  const made = make('install');
  expect([made.status, made.stderr]).toEqual([0, '']);
  expect(made.stdout).toContain(`installed ${prefix}/bin/holdfast\n`);
  expect(made.stdout).toContain(`put ${prefix}/bin on the PATH\n`);
  const plugin = execFileSync(join(prefix, 'bin/kubectl-holdfast'), ['cancel', '--help'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(plugin).toMatch(/^Usage: kubectl holdfast cancel/);
  const installed = join(prefix, 'bin/holdfast');
  expect(await realpath(installed)).toBe(await realpath(join(ROOT, 'bin/holdfast')));
  const help = (path: string) =>
    execFileSync('sh', ['-c', `'${installed}' prune --help`], { cwd: prefix, encoding: 'utf8', env: { PATH: path } });
  expect(help(`${prefix}/bin:/usr/bin:/bin`)).toMatch(/^Usage: holdfast prune/);
  expect(help('/usr/bin:/bin')).toMatch(/^Usage: '\/.*\/bin\/holdfast' prune/);
  expect(make('install').status).toBe(0);
  expect(make('uninstall').stdout).toContain(`removed ${installed}`);
  await expect(realpath(installed)).rejects.toThrow(/ENOENT/);
});

test('make install leaves a program of that name that is none of ours', async () => {
  await rm(join(prefix, 'bin'), { recursive: true, force: true });
  execFileSync('mkdir', [join(prefix, 'bin')]);
  await writeFile(join(prefix, 'bin/holdfast'), 'another');
  for (const target of ['install', 'uninstall']) expect(make(target).stderr).toMatch(/not ours|none of ours/);
  expect(execFileSync('cat', [join(prefix, 'bin/holdfast')], { encoding: 'utf8' })).toBe('another');
});

test('the package has what runs, and neither tests nor sources nor data', () => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'bin/holdfast', 'examples/churn-prevention.yaml']),
  );
  const known =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/holdfast|dist\/.*\.js|examples\/[^/]+\.yaml|examples\/models\/[^/]+\.(onnx|json))$/;
  expect(
    paths.filter((path) => !known.test(path) || /test|\.env|token|secret/i.test(path.replace('model-token', ''))),
  ).toEqual([]);
});
