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
  readonly user?: object;
}

async function file(
  name: string,
  { context, clusters = {}, contexts = {}, user = { token: SECRET } }: Parts,
): Promise<string> {
  const path = join(folder, name);
  const named = (key: string, all: Readonly<Record<string, object>>) =>
    Object.entries(all).map(([one, value]) => ({ name: one, [key]: value }));
  const config = {
    ...(context === undefined ? {} : { 'current-context': context }),
    clusters: named('cluster', clusters),
    contexts: named('context', contexts),
    users: [{ name: 'ann', user }],
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
  expect(loadKubeconfig({ kubeconfig }).cluster).toMatchObject({ server: 'https://prod' });
  const dev = loadKubeconfig({ kubeconfig, context: 'dev' });
  expect(dev.cluster).toMatchObject({ server: 'https://one' });
  expect(dev.context).toMatchObject({ namespace: 'shop' });
});

test('relative paths start from the folder of their file', async () => {
  await mkdir(join(folder, 'sub'));
  const kubeconfig = await file('sub/config', {
    context: 'dev',
    clusters: { dev: { server: 'https://dev', 'certificate-authority': 'ca.pem' } },
    contexts: { dev: of('dev') },
  });
  expect(loadKubeconfig({ kubeconfig }).cluster.caFile).toBe(join(folder, 'sub/ca.pem'));
});

test('a server without TLS, such as of kubectl proxy, can be asked', async () => {
  const kubeconfig = await file('proxy', {
    context: 'dev',
    clusters: { dev: at('http://127.0.0.1:8001') },
    contexts: { dev: of('dev') },
  });
  await expect(loadKubeconfig({ kubeconfig }).config.applyToHTTPSOptions({})).resolves.toBeUndefined();
});

test('a pipe of the shell is read once, however often the kubeconfig is asked for', async () => {
  const path = await file('decrypted', {
    context: 'dev',
    clusters: { dev: at('https://dev') },
    contexts: { dev: of('dev') },
  });
  const twice = `import { loadKubeconfig } from '${join(import.meta.dirname, 'kubeconfig.ts')}';
    const servers = [1, 2].map(() => loadKubeconfig({ kubeconfig: process.argv[1] }).cluster.server);
    console.log(servers.join());`;
  const script = '"$0" --input-type=module -e "$1" <(cat "$2")';
  const { stdout } = await promisify(execFile)('bash', ['-c', script, process.execPath, twice, path]);
  expect(stdout).toBe('https://dev,https://dev\n');
});

test('the context is the current one where the flag is empty, and may name no user', async () => {
  const kubeconfig = await file('config', { ...whole, contexts: { dev: { cluster: 'dev' } } });
  const { context, user } = loadKubeconfig({ kubeconfig, context: '' });
  expect([context.name, user.token]).toEqual(['dev', undefined]);
});

test('what an unused entry lacks is in the way of none of the others', async () => {
  const kubeconfig = await file('config', {
    ...whole,
    clusters: { broken: {}, ...whole.clusters },
    contexts: { broken: { namespace: 'shop' }, ...whole.contexts },
  });
  expect(loadKubeconfig({ kubeconfig }).cluster).toMatchObject({ server: 'https://dev' });
});

test('what is in the kubeconfig itself counts before a file, and a file of a token before a token', async () => {
  const user = {
    ...{ 'client-certificate': 'gone.pem', 'client-certificate-data': 'QQ==', 'client-key': 'key.pem' },
    ...{ token: SECRET, tokenFile: 'token' },
  };
  const loaded = loadKubeconfig({ kubeconfig: await file('config', { ...whole, user }) });
  expect(loaded.user).toMatchObject({ certData: 'QQ==', keyFile: join(folder, 'key.pem') });
  expect(loaded.user).not.toHaveProperty('certFile');
  expect(loaded.user).not.toHaveProperty('token');
  expect(loaded.user.authProvider).toEqual({ name: 'tokenFile', config: { tokenFile: join(folder, 'token') } });
});

test.each([
  [{ 'certificate-authority': 'ca.pem' }, 'https://dev:6443'],
  [{}, 'http://dev:6443'],
])('a server without a scheme has that of what is trusted (%j)', async (fields, server) => {
  const kubeconfig = await file('config', { ...whole, clusters: { dev: { ...at('dev:6443'), ...fields } } });
  expect(loadKubeconfig({ kubeconfig }).cluster.server).toBe(server);
});

test('the proxy is that of the cluster, else that of the environment', async () => {
  const environment = { HTTPS_PROXY: 'proxy:3128' };
  const kubeconfig = await file('config', whole);
  expect(loadKubeconfig({ kubeconfig, environment }).cluster.proxyUrl).toBe('http://proxy:3128');
  const clusters = { dev: { ...at('https://dev'), 'proxy-url': 'socks5://near:1080' } };
  const own = await file('own', { ...whole, clusters });
  expect(loadKubeconfig({ kubeconfig: own, environment }).cluster.proxyUrl).toBe('socks5://near:1080');
});

const whole = { context: 'dev', clusters: { dev: at('https://dev') }, contexts: { dev: of('dev') } };

test.each<[string, Parts, string | undefined, string]>([
  ['no current context', { ...whole, context: '' }, undefined, 'has no current context: give --context'],
  ['no such context', whole, 'prod', 'has no context prod; it has dev'],
  ['no such cluster', { ...whole, clusters: {} }, undefined, 'has no cluster dev, which the context dev names'],
  ['a context without a cluster', { ...whole, contexts: { dev: { user: 'ann' } } }, undefined, 'names no cluster'],
  ['a cluster without a server', { ...whole, clusters: { dev: {} } }, undefined, 'the cluster dev of'],
  [
    'what is no proxy',
    { ...whole, clusters: { dev: { ...at('https://dev'), 'proxy-url': 'ftp://ann:the-secret@proxy' } } },
    undefined,
    'the proxy-url of the cluster dev of',
  ],
  [
    'groups without a name',
    { ...whole, user: { 'as-groups': ['admins'] } },
    undefined,
    'has as-groups, as-uid or as-user-extra without as',
  ],
  [
    'no such user',
    { ...whole, contexts: { dev: { cluster: 'dev', user: 'bob' } } },
    undefined,
    'has no user bob, which the context dev names',
  ],
])('%s is said in a sentence', async (_, parts, context, words) => {
  const kubeconfig = await file('config', parts);
  expect(() => loadKubeconfig({ kubeconfig, context })).toThrow(words);
  expect(() => loadKubeconfig({ kubeconfig, context })).not.toThrow(SECRET);
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
