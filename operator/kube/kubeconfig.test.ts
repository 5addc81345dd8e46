import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadKubeconfig, UnusableKubeconfig } from './kubeconfig.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kubeconfig-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SECRET = 'the-secret';

interface Parts {
  readonly context?: string;
  readonly clusters?: Readonly<Record<string, object>>;
  readonly contexts?: Readonly<Record<string, object>>;
}

async function file(name: string, { context, clusters = {}, contexts = {} }: Parts): Promise<string> {
  const path = join(folder, name);
  const named = (key: string, all: Readonly<Record<string, object>>) =>
    Object.entries(all).map(([one, value]) => ({ name: one, [key]: value }));
  const config = {
    ...(context === undefined ? {} : { 'current-context': context }),
    clusters: named('cluster', clusters),
    contexts: named('context', contexts),
    users: [{ name: 'ann', user: { token: SECRET } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const at = (server: string) => ({ server });
const of = (cluster: string, namespace?: string) => ({ cluster, user: 'ann', ...(namespace ? { namespace } : {}) });

test('of several files what is first of its name counts, and those that are not there are passed over', async () => {
  const one = await file('one', { clusters: { dev: at('https://one') }, contexts: { dev: of('dev', 'shop') } });
  const two = await file('two', {
    context: 'prod',
    clusters: { dev: at('https://two'), prod: at('https://prod') },
    contexts: { dev: of('prod'), prod: of('prod') },
  });
  const three = await file('three', { context: 'dev' });
  const kubeconfig = [join(folder, 'nowhere'), one, two, three];
  expect(loadKubeconfig({ kubeconfig }).getCurrentCluster()).toMatchObject({ server: 'https://prod' });
  const dev = loadKubeconfig({ kubeconfig, context: 'dev' });
  expect(dev.getCurrentCluster()).toMatchObject({ server: 'https://one' });
  expect(dev.getContextObject('dev')).toMatchObject({ namespace: 'shop' });
});

test('relative paths start from the folder of their file', async () => {
  await mkdir(join(folder, 'sub'));
  const kubeconfig = await file('sub/config', {
    context: 'dev',
    clusters: { dev: { server: 'https://dev', 'certificate-authority': 'ca.pem' } },
    contexts: { dev: of('dev') },
  });
  expect(loadKubeconfig({ kubeconfig }).getCurrentCluster()?.caFile).toBe(join(folder, 'sub/ca.pem'));
});

test('a server without TLS, such as of kubectl proxy, can be asked', async () => {
  const kubeconfig = await file('proxy', {
    context: 'dev',
    clusters: { dev: at('http://127.0.0.1:8001') },
    contexts: { dev: of('dev') },
  });
  await expect(loadKubeconfig({ kubeconfig }).applyToHTTPSOptions({})).resolves.toBeUndefined();
});

test('a pipe of the shell is read once, however often the kubeconfig is asked for', async () => {
  const path = await file('decrypted', {
    context: 'dev',
    clusters: { dev: at('https://dev') },
    contexts: { dev: of('dev') },
  });
  const twice = `import { loadKubeconfig } from '${join(import.meta.dirname, 'kubeconfig.ts')}';
    const servers = [1, 2].map(() => loadKubeconfig({ kubeconfig: process.argv[1] }).getCurrentCluster().server);
    console.log(servers.join());`;
  const script = '"$0" --input-type=module -e "$1" <(cat "$2")';
  const { stdout } = await promisify(execFile)('bash', ['-c', script, process.execPath, twice, path]);
  expect(stdout).toBe('https://dev,https://dev\n');
});

const whole = { context: 'dev', clusters: { dev: at('https://dev') }, contexts: { dev: of('dev') } };

test.each<[string, Parts, string | undefined, string]>([
  ['no current context', { ...whole, context: '' }, undefined, 'has no current context: give --context'],
  ['no such context', whole, 'prod', 'has no context prod; it has dev'],
  ['no such cluster', { ...whole, clusters: {} }, undefined, 'has no cluster dev, which the context dev names'],
  [
    'no such user',
    { ...whole, contexts: { dev: { cluster: 'dev', user: 'bob' } } },
    undefined,
    'has no user bob, which the context dev names',
  ],
])('%s is said in a sentence', async (_, parts, context, words) => {
  const kubeconfig = await file('config', parts);
  expect(() => loadKubeconfig({ kubeconfig, context })).toThrow(words);
});

test('what is no kubeconfig is named without what is in it', async () => {
  const kubeconfig = join(folder, 'broken');
  await writeFile(kubeconfig, `users:\n- name: ann\n  user: {token: ${SECRET}\nclusters: [`);
  let said: unknown;
  try {
    loadKubeconfig({ kubeconfig });
  } catch (error) {
    said = error;
  }
  expect(said).toBeInstanceOf(UnusableKubeconfig);
  expect(String(said)).toMatch(/broken is not one, near line \d/);
  expect(`${(said as Error).stack} ${String((said as Error).cause)}`).not.toContain(SECRET);
  expect(() => loadKubeconfig({ kubeconfig: join(folder, 'nowhere') })).toThrow('nowhere is not there');
});
