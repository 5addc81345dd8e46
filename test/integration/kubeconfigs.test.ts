import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { systemClock } from '../../operator/kube/clock.ts';
import { connect } from '../../operator/kube/connection.ts';
import type { ConnectionSource } from '../../operator/kube/kubeconfig.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { type ConnectProxy, connectProxy } from '../support/connect-proxy.ts';
import { program } from '../support/program.ts';
import { type CommandOptions, holdfast } from '../support/workspace.ts';

const testOnServer = await testOnControlPlane();
const execute = promisify(execFile);

const TOKEN = 'a-token-that-nobody-is-to-see';
const PASSWORD = 'pass-word-1';
/** A name that no machine has, so that only the proxy leads to it. */
const ELSEWHERE = 'api.example.invalid';

let plane: ControlPlane;
let folder: string;
/** PEM of a certificate for ann of the team sales, and its key. */
let certificate: string;
let key: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kubeconfigs-'));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execute('openssl', args);
  await openssl(
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=authority', '-keyout', path('ca.key'), '-out', path('ca.crt')],
  );
  await openssl(
    ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/O=sales/CN=ann', '-keyout', path('ann.key'), '-out', path('ann.csr')],
  );
  await openssl(
    'x509',
    '-req',
    '-in',
    path('ann.csr'),
    '-CA',
    path('ca.crt'),
    '-CAkey',
    path('ca.key'),
    '-out',
    path('ann.crt'),
  );
  [certificate, key] = [await readFile(path('ann.crt'), 'utf8'), await readFile(path('ann.key'), 'utf8')];
  plane = await startControlPlane({
    controllerManager: false,
    apiServerFlags: [`--client-ca-file=${path('ca.crt')}`],
    accounts: [
      { user: 'viewer', groups: ['system:masters'], token: TOKEN },
      { user: 'other', groups: [], token: `${TOKEN}-2` },
    ],
  });
  await plane.request('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  await plane.request('POST', '/apis/holdfast.dev/v1alpha1/namespaces/shop/retentionprograms', program({}, 'keep'));
}, 120_000);

afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

interface Entries {
  readonly user?: object | null;
  readonly cluster?: object;
  readonly context?: object;
}

async function kubeconfig({ user = { token: TOKEN }, cluster = {}, context = {} }: Entries): Promise<string> {
  const path = join(folder, 'config');
  const config = {
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server: plane.url, 'certificate-authority': plane.caFile, ...cluster } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', ...(user === null ? {} : { user: 'ann' }), ...context } }],
    users: [{ name: 'ann', user }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

/** As whom the API server takes who comes with these entries. */
async function whoIs(entries: Entries, source: Partial<ConnectionSource> = {}): Promise<object> {
  const connection = connect({ kubeconfig: await kubeconfig(entries), clock: systemClock, ...source });
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}

async function ask(connection: ReturnType<typeof connect>): Promise<object> {
  const response = await connection.send({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await json(response)) as { status: { userInfo?: object } | string };
  return typeof answer.status === 'string' ? answer : (answer.status.userInfo ?? {});
}

testOnServer('one is who a token, a file of it, or a certificate says', async () => {
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  const data = (text: string) => Buffer.from(text).toString('base64');
  for (const user of [{ token: TOKEN }, { tokenFile: 'token' }, { tokenFile: 'token', token: 'of-before' }]) {
    expect(await whoIs({ user })).toMatchObject({ username: 'viewer' });
  }
  for (const user of [
    { 'client-certificate': 'ann.crt', 'client-key': 'ann.key' },
    { 'client-certificate-data': data(certificate), 'client-key-data': data(key) },
    { 'client-certificate-data': data(certificate), 'client-certificate': 'gone.crt', 'client-key': 'ann.key' },
  ]) {
    expect(await whoIs({ user })).toMatchObject({ username: 'ann', groups: expect.arrayContaining(['sales']) });
  }
});

testOnServer('a file of a token that was written anew is read when the old one is refused', async () => {
  await writeFile(join(folder, 'token'), 'expired-1');
  const connection = connect({ kubeconfig: await kubeconfig({ user: { tokenFile: 'token' } }), clock: systemClock });
  expect(await ask(connection)).toMatchObject({ status: 'Failure', code: 401 });
  await writeFile(join(folder, 'token'), TOKEN);
  expect(await ask(connection)).toMatchObject({ username: 'viewer' });
  connection.close();
});

testOnServer('a login gives a token, or a certificate that the server asks for while it greets', async () => {
  const login = (status: object) => {
    const answer = { kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status };
    const exec = { command: './login', apiVersion: answer.apiVersion, interactiveMode: 'Never' };
    return writeFile(join(folder, 'login'), `#!/bin/sh\ncat <<'END'\n${JSON.stringify(answer)}\nEND\n`, {
      mode: 0o755,
    }).then(() => ({ user: { exec } }));
  };
  expect(await whoIs(await login({ token: TOKEN }))).toMatchObject({ username: 'viewer' });
  const pair = { clientCertificateData: certificate, clientKeyData: key };
  expect(await whoIs(await login(pair))).toMatchObject({ username: 'ann' });
});

testOnServer('whoever acts as another does so with name, uid, groups and all that is told of them', async () => {
  const user = {
    token: TOKEN,
    as: 'bob',
    'as-uid': 'u-1',
    'as-groups': ['sales', 'night shift'],
    'as-user-extra': { 'example.com/Reason': ['churn', 'audit'] },
  };
  expect(await whoIs({ user })).toEqual({
    username: 'bob',
    uid: 'u-1',
    groups: expect.arrayContaining(['sales', 'night shift']),
    extra: { 'example.com/reason': ['churn', 'audit'] },
  });
});

testOnServer('the authority is asked for under the name that the kubeconfig gives, or not at all', async () => {
  expect(await whoIs({ cluster: { 'tls-server-name': 'kubernetes.default.svc' } })).toMatchObject({
    username: 'viewer',
  });
  await expect(whoIs({ cluster: { 'tls-server-name': 'other.example' } })).rejects.toThrow('other.example');
  const trusting = { 'certificate-authority': undefined, 'insecure-skip-tls-verify': true };
  expect(await whoIs({ cluster: trusting })).toMatchObject({ username: 'viewer' });
});

testOnServer('a context without a user trusts the authority all the same, and is nobody', async () => {
  expect(await whoIs({ user: null })).toMatchObject({
    code: 403,
    message: expect.stringContaining('system:anonymous'),
  });
});

const elsewhere = { server: `https://${ELSEWHERE}`, 'tls-server-name': 'kubernetes.default.svc' };

async function byProxy(check: (proxy: ConnectProxy) => Promise<void>): Promise<void> {
  await using proxy = await connectProxy(Number(new URL(plane.url).port), PASSWORD);
  await check(proxy);
}

testOnServer('the way goes by the proxy of the environment, or that of the cluster, with its password', async () => {
  await byProxy(async (proxy) => {
    const environment = { HTTPS_PROXY: `ann:${PASSWORD}@${proxy.host}` };
    expect(await whoIs({ cluster: elsewhere }, { environment })).toMatchObject({ username: 'viewer' });
    const own = { ...elsewhere, 'proxy-url': `http://ann:${PASSWORD}@${proxy.host}` };
    const none = { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: ELSEWHERE };
    expect(await whoIs({ cluster: own }, { environment: none })).toMatchObject({ username: 'viewer' });
    expect(proxy.asked).toEqual([1, 2].map(() => ({ target: `${ELSEWHERE}:443`, by: `ann:${PASSWORD}` })));
    await expect(
      whoIs({ cluster: elsewhere }, { environment: { ...environment, NO_PROXY: '.invalid' } }),
    ).rejects.toThrow(ELSEWHERE);
    expect(proxy.asked).toHaveLength(2);
  });
});

/** A command line of ours with these entries; whatever it says, it says no secret. */
async function as(entries: Entries, args: readonly string[], options: CommandOptions = {}) {
  const file = await kubeconfig({ context: { namespace: 'shop' }, ...entries });
  const environment = { ...options.environment, KUBECONFIG: file, HOME: folder, PATH: process.env['PATH'] ?? '' };
  const result = await holdfast([...args, '--cluster'], { ...options, environment });
  for (const secret of [TOKEN, PASSWORD]) expect(result.stdout + result.stderr).not.toContain(secret);
  return result;
}

testOnServer('a proxy that refuses is named, without the password', async () => {
  await byProxy(async ({ host }) => {
    const environment = { HTTPS_PROXY: `http://bob:${PASSWORD}@${host}` };
    const { status, stderr } = await as({ cluster: elsewhere }, ['status'], { environment });
    expect(status).toBe(1);
    expect(stderr).toContain(`HF_CLUSTER_UNREACHABLE: the cluster dev does not answer`);
    expect(stderr).toContain(`by the proxy ${host}: it refuses with status 407`);
  });
});

testOnServer('a namespace that is not there is said as such, and one that is empty as before', async () => {
  const no = (command: readonly string[], namespace: string) => as({}, [...command, '-n', namespace]);
  for (const command of [
    ['status'],
    ['status', 'keep'],
    ['trigger', 'keep'],
    ['retry', 'keep-1'],
    ['cancel', 'keep-1'],
  ]) {
    const { status, stdout, stderr } = await no(command, 'shp');
    expect([command, status, stdout]).toEqual([command, 78, '']);
    expect(stderr).toContain('HF_NOT_FOUND: there is no namespace shp in the cluster dev (did you mean shop?)');
  }
  expect((await no(['trigger', 'keep'], 'default')).stderr).toContain('there is no program at all');
});
