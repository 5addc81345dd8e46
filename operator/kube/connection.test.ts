import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '../../test/support/until.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Connection, connect } from './connection.ts';
import type { ConnectionSource } from './kubeconfig.ts';

const SECRET = 'secret-tok-1';
const V1 = 'client.authentication.k8s.io/v1';

let folder: string;
let server: Server;
/** Tokens that the server takes no more, and those that it was shown. */
let refused: Set<string>;
let shown: string[];
const open: Connection[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-connection-'));
  refused = new Set();
  shown = [];
  server = createServer(({ headers }, response) => {
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    shown.push(token);
    response.writeHead(refused.has(token) ? 401 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const one of open.splice(0)) one.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

interface Login {
  readonly exec?: object;
  readonly cluster?: object;
  readonly clock?: Clock;
  readonly source?: Partial<ConnectionSource>;
}

/** A kubeconfig whose login is a script of `sh`, with what it says on its standard error. */
async function logIn(script: string, { exec, cluster, clock = systemClock, source }: Login = {}) {
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  const plugin = { apiVersion: V1, interactiveMode: 'IfAvailable', command: 'sh', args: ['-c', script], ...exec };
  const config = {
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server: `http://127.0.0.1:${port}`, ...cluster } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'ann' } }],
    users: [{ name: 'ann', user: { exec: plugin } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  let said = '';
  const person = { canAnswer: false, tell: (text: string) => void (said += text) };
  const environment = { PATH: process.env['PATH'], FOLDER: folder };
  const connection = connect({ kubeconfig, clock, person, environment, ...source });
  open.push(connection);
  return {
    ask: (signal = new AbortController().signal): Promise<IncomingMessage> =>
      connection.send({ method: 'GET', path: '/', headers: {}, signal }),
    told: () => said,
    written: (name: string) => readFile(join(folder, name), 'utf8'),
  };
}

const credential = (status: object) => JSON.stringify({ kind: 'ExecCredential', apiVersion: V1, status });

/** Prints a token that is another each time: `TOKEN-1`, `TOKEN-2`. */
const counting = (more: object = {}) =>
  `echo >> "$FOLDER/runs"; sed "s/-N/-$(wc -l < "$FOLDER/runs")/" <<'END'\n${credential({ token: 'TOKEN-N', ...more })}\nEND`;

test.each<[string, string, string, object?]>([
  ['a program that prints its token bare', `echo ${SECRET}`, 'sh printed what is no ExecCredential'],
  ['a program that prints half an answer', `echo '{"kind": "v1", "secret": "${SECRET}"}'`, 'what is no ExecCredential'],
  ['a program that gives nothing', `echo '${credential({})}'`, 'sh gave neither a token nor a certificate'],
  ['half a certificate', `echo '${credential({ clientCertificateData: 'A' })}'`, 'a certificate or a key without'],
  [
    'a program of another version',
    `echo '${credential({ token: SECRET }).replace('/v1', '/v1beta1')}'`,
    'printed an ExecCredential of another version than client.authentication.k8s.io/v1',
  ],
  ['a program that fails without a word', 'exit 3', 'sh failed with exit status 3, and said nothing'],
  ['a program that is killed', 'kill -9 $$', 'sh was ended by SIGKILL'],
  [
    'a program that says why',
    `echo 'token=${SECRET}' >&2; echo 'log in first' >&2; exit 1`,
    'failed with exit status 1: log in first',
  ],
  [
    'a program that is not there, with how to install it',
    '',
    'no-such-login is not there: install it by: brew install it',
    { command: 'no-such-login', installHint: 'install it by:\n  brew install it\n' },
  ],
  ['a program without a name', '', 'names no program', { command: '' }],
  ['a version of before', '', 'sh is for client.authentication.k8s.io/v1alpha1', { apiVersion: `${V1}alpha1` }],
  ['one that must ask, where nobody is', '', 'asks for something each time', { interactiveMode: 'Always' }],
])('%s is said, and no secret with it', async (_, script, words, exec = {}) => {
  const { ask, told } = await logIn(script, { exec });
  const error = await ask().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ reason: 'NoCredentials', message: expect.stringContaining(words) });
  expect(inspect(error) + told()).not.toContain(SECRET);
  expect(shown).toEqual([]);
});

test('a login runs once for all that ask meanwhile, and again when its token has expired', async () => {
  let now = new Date('2026-11-23T09:00:00Z');
  const clock = { ...systemClock, now: () => now };
  const { ask } = await logIn(counting({ expirationTimestamp: '2026-11-23T10:00:00Z' }), { clock });
  await Promise.all([ask(), ask(), ask()]);
  now = new Date('2026-11-23T10:00:00Z');
  await ask();
  expect(shown).toEqual(['TOKEN-1', 'TOKEN-1', 'TOKEN-1', 'TOKEN-2']);
});

test('a token that is refused is asked for again, once', async () => {
  const { ask } = await logIn(counting());
  refused.add('TOKEN-1');
  expect((await ask()).statusCode).toBe(200);
  for (const token of ['TOKEN-2', 'TOKEN-3']) refused.add(token);
  expect((await ask()).statusCode).toBe(401);
  expect(shown).toEqual(['TOKEN-1', 'TOKEN-2', 'TOKEN-2', 'TOKEN-3']);
});

test('it gets its environment, what it is asked for, and of the cluster what it is to know', async () => {
  const script = `printf %s "$KUBERNETES_EXEC_INFO" > "$FOLDER/info"; printf %s "$REGION" > "$FOLDER/region"; ${counting()}`;
  await writeFile(join(folder, 'ca.pem'), 'the authority');
  const extension = { audience: 'shop' };
  const { ask, written } = await logIn(script, {
    exec: { env: [{ name: 'REGION', value: 'eu-1' }], provideClusterInfo: true },
    cluster: {
      'tls-server-name': 'dev.example',
      'certificate-authority': 'ca.pem',
      extensions: [{ name: 'client.authentication.k8s.io/exec', extension }],
    },
  });
  await ask();
  const { port } = server.address() as AddressInfo;
  expect(await written('region')).toBe('eu-1');
  expect(JSON.parse(await written('info'))).toEqual({
    kind: 'ExecCredential',
    apiVersion: V1,
    spec: {
      interactive: false,
      cluster: {
        server: `http://127.0.0.1:${port}`,
        // As this server has no TLS.
        'insecure-skip-tls-verify': true,
        'tls-server-name': 'dev.example',
        'certificate-authority-data': Buffer.from('the authority').toString('base64'),
        config: extension,
      },
    },
  });
});

test.each([
  ['a relative command is of the folder of the kubeconfig', './bin/login'],
  ['so is one further down', 'bin/login'],
])('%s', async (_, command) => {
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/login'), `#!/bin/sh\n${counting()}\n`, { mode: 0o755 });
  const { ask } = await logIn('', { exec: { command, args: [] } });
  await ask();
  expect(shown).toEqual(['TOKEN-1']);
});

test('what it says is told as it says it, and who may answer is said to it', async () => {
  const script = `printf 'Code: ' >&2; printf %s "$KUBERNETES_EXEC_INFO" > "$FOLDER/info"; ${counting()}`;
  let said = '';
  const person = { canAnswer: true, tell: (text: string) => void (said += text) };
  const { ask, written } = await logIn(script, { source: { person } });
  await ask();
  expect(said).toBe('Code: ');
  expect(JSON.parse(await written('info')).spec).toEqual({ interactive: true });
});

/** Waits until the process is gone, or a corpse: it may still be on its way. */
async function gone(pid: string): Promise<void> {
  const stat = () => readFile(`/proc/${Number(pid)}/stat`, 'utf8').catch(() => '');
  await until('the login is gone', stat, (text) => text === '' || /\) [ZX] /.test(text), 5000);
}

test.each([true, false])(
  'who gives up ends the login, and is not held by it (a person can answer: %s)',
  async (canAnswer) => {
    const given = new AbortController();
    const person = { canAnswer, tell: () => given.abort(new Error('Ctrl-C')) };
    const script = 'echo $$ > "$FOLDER/pid"; trap "" TERM; echo wait >&2; while :; do sleep 0.1; done';
    const { ask, written } = await logIn(script, { source: { person } });
    await expect(ask(given.signal)).rejects.toMatchObject({ reason: 'Aborted' });
    await gone(await written('pid'));
  },
);

test('a login that nobody answers is ended after 30 s, with all that it began; one that is answered is not', async () => {
  const timers: { callback: () => void; milliseconds: number }[] = [];
  const clock: Clock = {
    ...systemClock,
    setTimeout(callback, milliseconds) {
      timers.push({ callback, milliseconds });
      return () => {};
    },
  };
  const person = {
    canAnswer: false,
    tell: () => timers.find(({ milliseconds }) => milliseconds === 30_000)?.callback(),
  };
  const script = 'sleep 600 & echo $! > "$FOLDER/pid"; echo wait >&2; wait';
  const { ask, written } = await logIn(script, { clock, source: { person } });
  await expect(ask()).rejects.toThrow('sh did not end within 30 s');
  await gone(await written('pid'));
  timers.length = 0;
  const patient = await logIn(counting(), { clock, source: { person: { canAnswer: true, tell: () => {} } } });
  await patient.ask();
  expect(timers).toEqual([]);
});
