import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connect } from './connection.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-connection-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SECRET = 'secret-tok';

test.each([
  ['a program that prints its token bare', `echo ${SECRET}`, 'what their program printed is none'],
  ['a program that prints half an answer', `echo '{"apiVersion": "v1", "secret": "${SECRET}"}'`, 'printed is none'],
  ['a program that fails without a word', 'exit 3', 'their program failed, and said nothing'],
  ['a program that says why', 'echo "log in first" >&2; exit 1', 'cannot be had: log in first'],
])('%s is said, and no secret with it', async (_, script, words) => {
  const kubeconfig = join(folder, 'config');
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
  const config = {
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'ann' } }],
    users: [{ name: 'ann', user: { exec } }],
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const connection = connect({ kubeconfig });
  const { signal } = new AbortController();
  const error = await connection.send({ method: 'GET', path: '/', headers: {}, signal }).catch((thrown) => thrown);
  connection.close();
  expect(error).toMatchObject({ reason: 'NoCredentials', message: expect.stringContaining(words) });
  expect(inspect(error)).not.toContain(SECRET);
});
