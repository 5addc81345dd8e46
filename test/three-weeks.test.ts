import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { type Person, people } from './support/init-folder.ts';
import type { TestPostgres } from './support/postgres.ts';
import { useShop } from './support/shop.ts';
import { type Workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
useShop((opened) => {
  ({ shop, postgres } = opened);
});

const MONDAYS = ['2026-11-09', '2026-11-16', '2026-11-23'] as const;
const PROGRAM = 'shop-retention';

const iso = (date: Date) => date.toISOString().slice(0, 10);
const byMonth = (date: Date) => iso(date).replace(/(....)-(..)-(..)/, '$2/$3/$1');

/** The file of a week: with the columns in some order, and the days counted back from the Saturday before the Monday. */
async function weekly(
  name: string,
  monday: string,
  persons: readonly Person[],
  columns: readonly string[],
  write: (date: Date) => string = iso,
): Promise<string> {
  const day = (ago: number) => write(new Date(Date.parse(monday) - (2 + ago) * 86_400_000));
  const rows = persons.map(({ id, idle, spend, left }) => ({
    customer_id: id,
    last_login: day(idle),
    total_spend: spend.toFixed(2),
    churned: left ? 'Yes' : 'No',
  }));
  const lines = [columns, ...rows.map((row) => columns.map((column) => row[column as keyof typeof row]))];
  await writeFile(shop.path(name), `${lines.map((line) => line.join(',')).join('\n')}\n`);
  return shop.path(name);
}

const command = (args: readonly string[]) =>
  shop.holdfast(args, { environment: { DATABASE_URL: postgres.url, USER: 'ada' } });
async function good(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await command(args);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return stdout;
}
const runOf = (file: string, monday: string) => [
  'run',
  shop.path('program.yaml'),
  '--now',
  `${monday}T09:00:00Z`,
  '--source',
  `customers=${file}`,
  '--output',
  'json',
];

/** Runs a week; resolves to its run, how many it stored, and whom its list names, by what the command writes. */
async function week(file: string, monday: string) {
  const { run, stages } = JSON.parse(await good(...runOf(file, monday)));
  // Lists of weeks past are alive for the clock of the database as well.
  await postgres.database.pool.query(`UPDATE holdfast.candidates SET expires_at = now() + interval '1 day'`);
  await good('candidates', PROGRAM, '--csv', '--out', shop.path('contact.csv'));
  const [, ...lines] = (await readFile(shop.path('contact.csv'), 'utf8')).trim().split(/\r?\n/);
  const stored = await postgres.database.pool.query(
    'SELECT customer_id FROM holdfast.decisions WHERE run = $1 ORDER BY customer_id',
    [run],
  );
  return {
    run: run as string,
    candidates: stages.at(-1).rowsOut as number,
    decided: stored.rows.map(({ customer_id }) => customer_id as string),
    contacted: lines.map((line) => line.split(',')[0]?.replaceAll('"', '') ?? '').sort(),
  };
}

test('a shop goes through three weeks: init, run, list; other columns and people; a list never sent; a file gone wrong', async () => {
  const everybody = people(900);
  const there = everybody.filter(({ left }) => !left);
  const first = await weekly('first.csv', MONDAYS[0], everybody, [
    'customer_id',
    'last_login',
    'total_spend',
    'churned',
  ]);
  await good('init', first, '-o', shop.path('program.yaml'), '--name', PROGRAM);
  const one = await week(first, MONDAYS[0]);
  expect(one.decided).toHaveLength(one.candidates);
  expect(one.contacted.length).toBeGreaterThan(20);
  // Those held out are decided on, and in no list.
  expect(one.decided).toEqual(expect.arrayContaining(one.contacted));
  expect(one.contacted.length).toBeLessThan(one.candidates);
  const leavers = new Set(everybody.filter(({ left }) => left).map(({ id }) => id));
  expect(one.decided.filter((id) => leavers.has(id))).toEqual([]);

  // The second file has no label, other columns first, some people gone and others new.
  const gone = new Set(there.slice(0, 80).map(({ id }) => id));
  const came = people(300, 2).map((person) => ({ ...person, id: `N${person.id}` }));
  const later = [...there.filter(({ id }) => !gone.has(id)), ...came];
  const columns = ['total_spend', 'last_login', 'customer_id'];
  const second = await weekly('second.csv', MONDAYS[1], later, columns);
  const two = await week(second, MONDAYS[1]);
  expect(two.contacted.length).toBeGreaterThan(5);
  const before = new Set(one.decided);
  // Nobody twice in a quarter, held out or not, and nobody who is gone.
  expect(two.decided.filter((id) => before.has(id) || gone.has(id))).toEqual([]);

  // That list was never sent.
  await good('discard', two.run, '--reason', 'the mail tool was down');

  // In the third week somebody writes days with the month first.
  const wrong = await weekly('wrong.csv', MONDAYS[2], later, columns, byMonth);
  const refused = await command(runOf(wrong, MONDAYS[2]));
  expect([refused.status, refused.stderr]).toEqual([78, expect.stringMatching(/^HF_\w+: .*last_login/m)]);

  const third = await weekly('third.csv', MONDAYS[2], later, columns);
  const three = await week(third, MONDAYS[2]);
  expect(three.contacted).toEqual(two.contacted);
  expect(three.decided).toEqual(two.decided);
});

test('ids that a spreadsheet took the zeros from are told, since caps know nobody then', async () => {
  const persons = people(600, 3).map((person) => ({ ...person, id: person.id.replace('C', '0') }));
  const columns = ['customer_id', 'last_login', 'total_spend', 'churned'];
  const first = await weekly('zeros.csv', MONDAYS[0], persons, columns);
  await good('init', first, '-o', shop.path('zeros.yaml'), '--name', 'zeros');
  const warnedOf = async (file: string, monday: string) => {
    const [command, , ...rest] = runOf(file, monday);
    const { warnings } = JSON.parse(await good(command as string, shop.path('zeros.yaml'), ...rest));
    return (warnings as { code: string }[]).map(({ code }) => code).filter((code) => code === 'IDS_UNKNOWN');
  };
  expect(await warnedOf(first, MONDAYS[0])).toEqual([]);
  expect(await warnedOf(first, MONDAYS[1])).toEqual([]);
  const bare = persons.map((person) => ({ ...person, id: String(Number(person.id)) }));
  expect(await warnedOf(await weekly('bare.csv', MONDAYS[2], bare, columns), MONDAYS[2])).toEqual(['IDS_UNKNOWN']);
});
