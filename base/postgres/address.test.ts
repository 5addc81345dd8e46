import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connect } from '../../database/client/connect.ts';
import { PostgresSession } from '../../providers/warehouses/postgres/session.ts';
import { openTlsFront, type TlsFront, writeCertificate } from '../../test/inputs/tls-front.ts';
import { openPostgres, type TestPostgres } from '../../test/support/postgres.ts';
import { readAddress } from './address.ts';

const COMMAND = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
const URL_START = 'postgres://ada:s3cret@db:5433/shop';

test.each([
  ['no mode', '', ''],
  ['disable', '?sslmode=disable', '?sslmode=disable'],
  ['no-verify', '?sslmode=no-verify', '?sslmode=no-verify'],
  ['allow, which here checks everything', '?sslmode=allow', '?sslmode=verify-full'],
  ['prefer, which here checks everything', '?sslmode=prefer&x=y', '?sslmode=verify-full&x=y'],
  ['require, which here checks everything', '?x=y&sslmode=require', '?x=y&sslmode=verify-full'],
  ['verify-ca without an authority, which checks the name too', '?sslmode=verify-ca', '?sslmode=verify-full'],
  [
    'verify-ca with its authority',
    '?sslmode=verify-ca&sslrootcert=/ca.crt',
    '?sslmode=verify-ca&sslrootcert=/ca.crt&uselibpqcompat=true',
  ],
  [
    'what libpq does, asked for by name',
    '?uselibpqcompat=true&sslmode=require',
    '?uselibpqcompat=true&sslmode=require',
  ],
])('an address has %s, with blanks around it or without', (_name, given, driver) => {
  const address = { url: `${URL_START}${driver}`, target: 'db:5433/shop' };
  expect(readAddress(`${URL_START}${given}`)).toEqual(address);
  expect(readAddress(` ${URL_START}${given}\r\n`)).toEqual(address);
});

test.each([
  ['one that does not exist', 'sslmode=bogus', 'the unknown sslmode bogus'],
  ['one in capitals', 'sslmode=Require', 'the unknown sslmode Require'],
  ['an empty one', 'sslmode=', 'an unknown sslmode'],
  ['two', 'sslmode=disable&sslmode=require', 'an unknown sslmode'],
  ['the name of an object', 'sslmode=constructor', 'the unknown sslmode constructor'],
  ['one that may be a secret', 'sslmode=s3cret%21more', 'an unknown sslmode'],
])('of modes %s is refused', (_name, parameter, named) => {
  expect(readAddress(`${URL_START}?${parameter}`)).toEqual({
    fault: `has ${named}: give verify-full, no-verify (encrypts without knowing to whom) or disable`,
  });
});

test.each([
  ['in capitals', '?SSLMODE=require'],
  ['in both', '?sslMode=require'],
  ['with a line', '?ssl_mode=require'],
  ['behind a number sign', '#?sslmode=require'],
])('a mode whose name is written %s is refused: the driver would go without TLS', (_name, rest) => {
  expect(readAddress(`${URL_START}${rest}`)).toEqual({ fault: 'spells sslmode otherwise: write ?sslmode=verify-full' });
});

test.each([
  [
    'sslmode=verify-full&sslrootcert=system',
    'has sslrootcert=system: leave it out, verify-full asks the authorities that Node knows',
  ],
  ['sslrootcert=system', 'has sslrootcert=system: leave it out, verify-full asks the authorities that Node knows'],
  ['uselibpqcompat=true&sslmode=verify-ca', 'has verify-ca without its authority: add sslrootcert=FILE'],
])('%s, which libpq may take, is refused with the way out', (parameters, fault) => {
  expect(readAddress(`${URL_START}?${parameters}`)).toEqual({ fault });
});

test('a password that reads like a mode stays as it is', () => {
  const start = 'postgres://ada:sslmode=require@db/shop?sslmode=';
  expect(readAddress(`${start}require`)).toMatchObject({ url: `${start}verify-full` });
});

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl) console.warn('certificates of Postgres: skipped, since making one needs openssl');
(openssl ? describe : describe.skip)('behind a certificate that signs itself', () => {
  let folder: string;
  let postgres: TestPostgres;
  let front: TlsFront;
  let socket: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-tls-'));
    postgres = await openPostgres();
    const { rows } = await postgres.database.pool.query(`SELECT current_setting('unix_socket_directories') AS folder`);
    socket = `${rows[0].folder}/.s.PGSQL.5432`;
    await writeCertificate(folder, 'front');
    front = await openTlsFront(folder, socket);
  });
  afterAll(async () => {
    await front[Symbol.asyncDispose]();
    await postgres[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  const url = (parameters: string) => `postgres://holdfast@localhost:${front.port}/postgres?${parameters}`;

  const SENTENCE =
    'its certificate is not accepted: self-signed; every sslmode but disable and no-verify checks it: name its authority in sslrootcert=FILE or NODE_EXTRA_CA_CERTS (caBundle of the chart), or encrypt without knowing to whom with sslmode=no-verify';

  test('require says in one line that it checks, and both ways out', async () => {
    const child = spawn(COMMAND, ['serve', '--port', '0', '--data', join(folder, 'state')], {
      env: { PATH: process.env['PATH'], DATABASE_URL: url('sslmode=require') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
    expect(said).toBe(
      `HF_DATABASE_REFUSED: cannot connect to Postgres at localhost:${front.port}/postgres: ${SENTENCE}\n`,
    );
  });

  test('a warehouse says the same', async () => {
    await expect(PostgresSession.open(url('sslmode=prefer'), 'crm', 60)).rejects.toMatchObject({
      code: 'HF_WAREHOUSE_UNREADABLE',
      message: `crm: cannot connect to Postgres at localhost:${front.port}/postgres: ${SENTENCE}`,
    });
  });

  test('verify-full connects where NODE_EXTRA_CA_CERTS names the authority, as it does for the pods of the chart', async () => {
    const script =
      'const { connect } = await import(process.argv[1]); await (await connect(process.argv[2], {})).close();';
    const connecting = join(import.meta.dirname, '../../database/client/connect.ts');
    const trusting = async (environment: Record<string, string>) => {
      const args = ['--input-type=module', '--eval', script, connecting, url('sslmode=verify-full')];
      const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', 'ignore', 'pipe'] });
      const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
      return { status, isRefused: said.includes(SENTENCE) };
    };
    expect(await trusting({})).toEqual({ status: 1, isRefused: true });
    expect(await trusting({ NODE_EXTRA_CA_CERTS: join(folder, 'front.crt') })).toEqual({ status: 0, isRefused: false });
  });

  test.each([
    ['no-verify', () => 'sslmode=no-verify'],
    ['require and its authority', () => `sslmode=require&sslrootcert=${encodeURIComponent(join(folder, 'front.crt'))}`],
  ])('%s connects', async (_name, parameters) => {
    const database = await connect(url(parameters()), { applicationName: 'test' });
    await database.close();
  });

  const byAddress = (mode: string, authority: string) =>
    url(`sslmode=${mode}&sslrootcert=${encodeURIComponent(join(folder, authority))}`).replace('localhost', '127.0.0.1');

  test('a certificate for another name is refused, and the way to go without its name is said', async () => {
    await expect(connect(byAddress('verify-full', 'front.crt'), { applicationName: 'test' })).rejects.toMatchObject({
      code: 'HF_DATABASE_REFUSED',
      message: expect.stringMatching(/it is for another name; .* sslmode=verify-ca and sslrootcert=FILE$/),
    });
  });

  test('verify-ca takes it from its authority, and from no other', async () => {
    const database = await connect(byAddress('verify-ca', 'front.crt'), { applicationName: 'test' });
    await database.close();
    await writeCertificate(folder, 'other');
    await expect(connect(byAddress('verify-ca', 'other.crt'), { applicationName: 'test' })).rejects.toMatchObject({
      code: 'HF_DATABASE_REFUSED',
      message: expect.stringMatching(
        /its certificate is not accepted: self-signed; no authority in sslrootcert signed it: /,
      ),
    });
  });

  test('of a file without a certificate it is said that nothing in it signed', async () => {
    await writeFile(join(folder, 'empty.crt'), 'none\n');
    await expect(connect(byAddress('verify-full', 'empty.crt'), { applicationName: 'test' })).rejects.toMatchObject({
      code: 'HF_DATABASE_REFUSED',
      message: expect.stringContaining('no authority in sslrootcert signed it: '),
    });
  });

  test('a server that asks for a certificate gets that of sslcert and sslkey', async () => {
    const [own, key] = ['front.crt', 'front.key'].map((name) => encodeURIComponent(join(folder, name)));
    await using asking = await openTlsFront(folder, socket, { knows: 'front' });
    const at = (parameters: string) => url(parameters).replace(/:\d+/, `:${asking.port}`);
    const database = await connect(at(`sslmode=no-verify&sslcert=${own}&sslkey=${key}`), { applicationName: 'test' });
    await database.close();
    await expect(connect(at('sslmode=no-verify'), { applicationName: 'test' })).rejects.toMatchObject({
      code: 'HF_DATABASE_UNREACHABLE',
    });
  });
});

/** As PgBouncer with its defaults answers a connection whose start has settings that it does not know. */
async function openPooler(knows: readonly string[]) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', (start: Buffer) => {
      const words = start.subarray(8).toString('latin1').split('\0');
      const names = words.filter((_word, index) => index % 2 === 0 && words[index] !== '');
      const refused = names.find((name) => !knows.includes(name));
      const fields = ['SFATAL', 'C08P01', `Munsupported startup parameter: ${refused}`, '', ''].join('\0');
      const length = Buffer.alloc(4);
      length.writeInt32BE(4 + fields.length);
      socket.end(Buffer.concat([Buffer.from('E'), length, Buffer.from(fields, 'latin1')]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `postgres://u:s3cret@127.0.0.1:${(server.address() as AddressInfo).port}/hf?sslmode=disable`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test.each(['statement_timeout', 'options'])('a pooler that refuses %s of the URL is told as such', async (name) => {
  await using pooler = await openPooler(['user', 'database', 'application_name', 'client_encoding']);
  const url = `${pooler.url}&${name}=${name === 'options' ? '-c%20search_path%3Dshop' : '1000'}`;
  await expect(connect(url, { applicationName: 'test', readOnly: true })).rejects.toMatchObject({
    code: 'HF_DATABASE_REFUSED',
    message: expect.stringMatching(
      new RegExp(`/hf: a pooler refuses ${name}, which the URL sets: .* set ignore_startup_parameters = ${name}$`),
    ),
  });
});

test('a warehouse behind a pooler needs none, and a setting of its URL is named', async () => {
  await using pooler = await openPooler(['user', 'database', 'application_name', 'client_encoding']);
  const withOptions = `${pooler.url}&options=-c%20search_path%3Dshop`;
  await expect(PostgresSession.open(withOptions, 'crm', 60)).rejects.toMatchObject({
    code: 'HF_WAREHOUSE_UNREADABLE',
    message: expect.stringMatching(
      /a pooler refuses options, which the URL sets: .* ignore_startup_parameters = options$/,
    ),
  });
});
