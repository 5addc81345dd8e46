import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findPostmaster } from '../database/embedded/postmaster.ts';
import { answerOf, TOKEN } from './support/api.ts';
import { until } from './support/until.ts';
import { type CommandResult, holdfast, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
beforeEach(async () => {
  shop = await workspace();
});
afterEach(async () => {
  await shop[Symbol.asyncDispose]();
});

interface Serving {
  readonly url: string;
  readonly get: (path: string) => ReturnType<typeof answerOf>;
  /** Presses Ctrl-C and resolves to how it ended. */
  readonly stop: () => Promise<CommandResult>;
}

/** `holdfast serve` in this process, once it listens. */
async function serve(args: readonly string[] = [], environment: Record<string, string> = {}): Promise<Serving> {
  let interrupt: AbortController | undefined;
  let log = '';
  const ended = holdfast(['serve', '--port', '0', '--data', shop.data, ...args], {
    environment: { HOLDFAST_API_TOKEN: TOKEN, ...environment },
    watch(text, abort) {
      log += text;
      interrupt = abort;
    },
  });
  let refusal: string | undefined;
  void ended.then(({ stderr }) => (refusal = `ended: ${stderr}`));
  const url = await until(
    'it listens, or ends',
    async () => /"url":"([^"]+)"/.exec(log)?.[1] ?? refusal,
    (found) => found !== undefined,
    30_000,
  );
  if (url === undefined || !url.startsWith('http')) throw new Error(url);
  return {
    url,
    get: (path) => answerOf(`${url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } }),
    stop() {
      interrupt?.abort();
      return ended;
    },
  };
}

test('before the first run the page says what to do, and a run beside it is shown once it is published', async () => {
  const server = await serve();
  expect((await server.get('/readyz')).text).toBe('ok\n');
  const empty = await server.get('/');
  expect(empty.status).toBe(200);
  expect(empty.text).toContain('<h1>Nothing has run here yet</h1>');
  expect((await server.get('/v1/namespaces/default/programs')).status).toBe(404);

  const run = await shop.holdfast(['run', await shop.program()]);
  expect({ status: run.status, stderr: run.stderr }).toMatchObject({ status: 0 });
  const { items } = (await server.get('/v1/namespaces/default/programs/keep/candidates?limit=200&arm=all')).json;
  const counted = /stored +(\d+)/.exec(run.stdout)?.[1];
  expect(items).toHaveLength(Number(counted));
  expect((await server.get('/')).text).toContain('<h1>keep</h1>');
  const { json } = await server.get('/v1/namespaces/default/programs/keep/runs');
  const filter = json.items[0].stages.find(({ name }: { name: string }) => name === 'filter');
  expect(Object.keys(filter.counts.removed)).toEqual(['trust', 'churn-signal', 'customer-value', 'eligibility']);

  const { status, stdout, stderr } = await server.stop();
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: `Holdfast is at ${server.url}/ and asks for a token; Ctrl-C stops it.\n`,
  });
  expect(stderr).not.toContain(TOKEN);
  expect(await findPostmaster(`${shop.data}/postgres/data`)).toBeUndefined();
});

test('the embedded Postgres is started again when it is gone, and nobody has to do anything', async () => {
  const server = await serve();
  try {
    const first = await findPostmaster(`${shop.data}/postgres/data`);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until(
      'another Postgres answers',
      async () => ({
        pid: (await findPostmaster(`${shop.data}/postgres/data`))?.pid,
        ready: (await server.get('/readyz')).status,
      }),
      ({ pid, ready }) => pid !== undefined && pid !== first?.pid && ready === 200,
    );
  } finally {
    expect((await server.stop()).status).toBe(0);
  }
});

test('what is served is not cleared away', async () => {
  const server = await serve();
  try {
    const { status, stderr } = await shop.holdfast(['clean']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^HF_DATA_LOCKED: another Holdfast process uses the Postgres of /);
    expect((await server.get('/readyz')).status).toBe(200);
  } finally {
    await server.stop();
  }
  expect((await shop.holdfast(['clean'])).status).toBe(0);
});

test.each([
  [['--port', '70000'], {}, 'HF_USAGE: --port 70000: give a whole number from 0 to 65535\n'],
  [['--port', 'http'], {}, 'HF_USAGE: --port http: give a whole number from 0 to 65535\n'],
  [['--drain', '-1'], {}, 'HF_USAGE: --drain -1: give a whole number from 0 to 3600\n'],
  [
    [],
    { HOLDFAST_API_TOKEN: 'short' },
    'HF_USAGE: HOLDFAST_API_TOKEN must have at least 16 characters, none of them a space or beyond ASCII\n',
  ],
  [['--host', '192.0.2.1'], {}, 'HF_ADDRESS_UNAVAILABLE: this machine has no address 192.0.2.1: mend --host\n'],
  [
    [],
    { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' },
    'HF_DATABASE_UNREACHABLE: cannot connect to Postgres at 127.0.0.1:1/none: nothing listens there\n',
  ],
])('%j is refused with a sentence', async (args, environment, sentence) => {
  await expect(serve(args, environment)).rejects.toThrow(`ended: ${sentence}`);
});

test('a port that is taken is named', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  try {
    await expect(serve(['--port', String(port)])).rejects.toThrow(
      `HF_ADDRESS_UNAVAILABLE: another program listens on 127.0.0.1 port ${port}: stop it, or choose another with --port`,
    );
  } finally {
    taken.close();
  }
});

test('without a token of one’s own one is made up and printed once, as an address', async () => {
  const server = await serve([], { HOLDFAST_API_TOKEN: '' });
  const { stdout, stderr } = await server.stop();
  const key = /\/\?key=([\w-]{32})\n/.exec(stdout)?.[1];
  const token = /Bearer ([\w-]{32})"/.exec(stdout)?.[1];
  expect([key, token]).toEqual([expect.any(String), expect.any(String)]);
  expect(key).not.toBe(token);
  expect(stderr).not.toContain(token);
  expect(stderr).not.toContain(key);
});
