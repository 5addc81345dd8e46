import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomNumbers } from '../base/math/random-numbers.ts';
import { type InitFolder, initFolder, type Person, people } from './support/init-folder.ts';
import { workbook } from './support/workbooks.ts';
import { holdfast, NOW } from './support/workspace.ts';

let place: InitFolder;
beforeAll(async () => {
  place = await initFolder();
});
afterAll(async () => place[Symbol.asyncDispose]());

const everybody = people(400);
const day = ({ idle }: Person) => new Date(Date.UTC(2026, 9, 31) - idle * 86_400_000).toISOString().slice(0, 10);

test('JSON lines become a program that runs, ids and objects within as they are, and next week too', async () => {
  const rows = everybody.map((person, index) => ({
    customer_id: `@${2n ** 53n + BigInt(2 * index) + 1n}@`,
    last_login: day(person),
    total_spend: person.spend,
    address: { country: index % 2 === 0 ? 'DE' : 'FR' },
    churned: person.left,
  }));
  const text = (separator: string) => rows.map((row) => JSON.stringify(row).replaceAll(/"@|@"/g, '')).join(separator);
  const file = place.at('customers.jsonl');
  await writeFile(file, text('\n'));
  const { mappings, label } = await place.report(file);
  expect(mappings.map(({ column, source }) => [column, source])).toEqual([
    ['customer_id', 'customer_id'],
    ['marketplace', 'address.country'],
    ['days_since_last_login', 'last_login'],
    ['lifetime_value', 'total_spend'],
  ]);
  expect(label).toMatchObject({ source: 'churned' });
  const ids = (await place.values('customer_id', file)) as string[];
  expect([new Set(ids).size, ids.every((id) => BigInt(id) % 2n === 1n)]).toEqual([ids.length, true]);
  const week = await place.run();
  await writeFile(place.at('next.json'), `[${text(',')}]`);
  expect(await place.run('--source', `customers=${place.at('next.json')}`)).toEqual(week);
});

test.each([
  ['a trained model', true],
  ['a scorecard', false],
])('%s says what is typical of its features', async (_, labelled) => {
  const lines = everybody.map(
    ({ id, idle, spend, left }) => `${id},${idle},${spend}${labelled ? `,${left ? 'Yes' : 'No'}` : ''}`,
  );
  const { model } = await place.report(
    await place.csv([`customer_id,days_inactive,total_spend${labelled ? ',churned' : ''}`, ...lines], 'typical.csv'),
  );
  const card = JSON.parse(await readFile(place.at('typical-retention-risk.json'), 'utf8'));
  const idle = everybody.map((one) => one.idle).sort((a, b) => a - b);
  expect(card.typical).toHaveLength(model.features.length);
  expect(card.typical[model.features.indexOf('days_since_last_login')]).toBe(idle[Math.floor((idle.length - 1) / 2)]);
});

test('a model is measured on JSON lines', async () => {
  const text = (person: Person) =>
    JSON.stringify({ days_since_last_login: person.idle, churned: person.left ? 'Yes' : 'No' });
  await writeFile(place.at('labelled.jsonl'), everybody.map(text).join('\n'));
  await writeFile(
    place.at('small.jsonl'),
    everybody
      .map((person) => JSON.stringify({ customer_id: person.id, days_inactive: person.idle, churned: person.left }))
      .join('\n'),
  );
  await place.report(place.at('small.jsonl'));
  const model = ['models', 'check', place.at('small-retention-risk.onnx'), '--data', place.at('labelled.jsonl')];
  const { status, stdout } = await holdfast([...model, '--output', 'json']);
  expect({ status, measured: JSON.parse(stdout).measured?.rows }).toEqual({ status: 0, measured: everybody.length });
});

test('the line of sums below a table is no customer, this week and next; one who is called so in the middle is', async () => {
  const total = everybody.reduce((sum, { spend }) => sum + spend, 0);
  const rows = (foot: string, middle: string) => [
    ['customer_id', 'days_inactive', 'total_spend', 'churned'],
    ...everybody.map((person, index) => [
      index === 200 ? middle : person.id,
      person.idle,
      person.spend,
      person.left ? 'Yes' : 'No',
    ]),
    ...(foot === '' ? [] : [[foot, null, total, 'No']]),
  ];
  const file = place.at('sums.xlsx');
  const write = (...names: [string, string]) => writeFile(file, workbook([{ name: 'A', rows: rows(...names) }]));
  await write('Summe', 'C00200');
  const { warnings } = await place.report(file);
  expect(warnings.join('\n')).toMatch(/customer_id names a total in 1 row, which has the sum of all other rows/);
  expect(await place.values('customer_id', file)).not.toContain('Summe');
  await write('Grand Total', 'C00200');
  expect(await place.values('customer_id', file)).not.toContain('Grand Total');
  await write('', 'Total');
  expect(await place.values('customer_id', file)).toContain(everybody[200]?.left === true ? 'C00201' : 'Total');
  expect((await place.report(file)).warnings.join('\n')).toMatch(/names a total in 1 row: if that is a line of sums/);
});

test('each of several lines of sums below a table is left out', async () => {
  const total = everybody.reduce((sum, { spend }) => sum + spend, 0);
  const lines = everybody.map(({ id, idle, spend }) => `${id},${idle},${spend}`);
  const feet = [`Summe,,${total}`, `Gesamt:,,${total}`];
  const file = await place.csv(['customer_id,days_inactive,total_spend', ...lines, ...feet], 'feet.csv');
  const { warnings } = await place.report(file);
  expect(warnings.join('\n')).toMatch(/customer_id names a total in 2 rows, which have the sum of all other rows/);
  expect(await place.values('customer_id', file)).toHaveLength(everybody.length);
});

test('a run warns of a line of sums that the query does not leave out', async () => {
  const lines = everybody.map(({ id, idle, spend }) => `${id},${idle},${spend}`);
  const header = 'customer_id,days_inactive,total_spend';
  await place.report(await place.csv([header, ...lines]));
  const later = await place.csv([header, ...lines, 'Gesamt:,,1000'], 'later.csv');
  const source = ['--source', `customers=${later}`, '--now', NOW, '--data', place.at('totals')];
  const ran = await holdfast(['run', place.at('program.yaml'), ...source, '--dry-run', '--output', 'json']);
  const { warnings } = JSON.parse(ran.stdout) as { warnings: { code: string; message: string }[] };
  expect(warnings).toContainEqual({
    code: 'SOURCE_TOTAL',
    message: expect.stringContaining('customer_id names a total in 1 of the rows'),
  });
});

test('what the query does not read beside a currency is counted, written as a number or not', async () => {
  const spend = (index: number) => (index % 20 === 0 ? '.50' : index % 20 === 1 ? '1e5' : `$${index}.50`);
  const lines = everybody.map(({ id, idle }, index) => `${id},${idle},${spend(index)}`);
  const file = await place.csv(['customer_id,days_inactive,total_spend', ...lines], 'dressed.csv');
  const { mappings } = await place.report(file);
  const missing = (await place.values('lifetime_value', file)).filter((value) => value === null).length;
  const why = mappings.find(({ column }) => column === 'lifetime_value')?.reason;
  expect([missing > 0, why]).toEqual([
    true,
    expect.stringContaining(`${missing} of ${everybody.length} values looked at are not written so`),
  ]);
});

test('days as plain numbers are not read from 1900 where a workbook counts them from 1904', async () => {
  const number = (person: Person, from: number) => Date.parse(day(person)) / 86_400_000 + from;
  const rows = (from: number) => [
    ['customer_id', 'last_login', 'total_spend', 'churned'],
    ...everybody.map((person) => [person.id, number(person, from), person.spend, person.left]),
  ];
  const mac = workbook([{ name: 'A', rows: rows(25_569 - 1462) }], { date1904: true });
  await writeFile(place.at('mac.xlsx'), mac);
  const remedy = /counts days from 1904, .* give the cells of that column the number format Date/;
  expect(await place.refusal(place.at('mac.xlsx'))).toMatch(remedy);
  await writeFile(place.at('windows.xlsx'), workbook([{ name: 'A', rows: rows(25_569) }]));
  await place.report(place.at('windows.xlsx'));
  const run = ['run', place.at('program.yaml'), '--now', NOW, '--dry-run', '--data', place.at('state')];
  const ran = await holdfast([...run, '--source', `customers=${place.at('mac.xlsx')}`]);
  expect(ran).toMatchObject({ status: 78, stderr: expect.stringMatching(remedy) });
});

test('before a large workbook is read, it is said what that takes', async () => {
  const rows = [
    ['customer_id', 'last_login', 'total_spend', 'churned'],
    ...everybody.map((person) => [person.id, new Date(day(person)), person.spend, person.left]),
  ];
  // Packed to too little it would be refused.
  const random = randomNumbers(1);
  const noise = Buffer.from(Array.from({ length: 250_000 }, () => Math.floor(random() * 256)));
  const large = workbook([{ name: 'A', rows }], {
    beside: { 'xl/media/noise.bin': noise, 'xl/media/blank.bin': Buffer.alloc(32 * 2 ** 20) },
  });
  await writeFile(place.at('large.xlsx'), large);
  const cost =
    /^note: .*what is in Excel workbooks unpacks to 32 MiB: reading it takes about 13 s and 0\.7 GB of memory; saved as CSV/m;
  expect((await place.init(place.at('large.xlsx'))).stderr).toMatch(cost);
  const run = ['run', place.at('program.yaml'), '--now', NOW, '--dry-run', '--data', place.at('state')];
  const ran = await holdfast(run);
  expect(ran).toMatchObject({ status: 0, stderr: expect.stringMatching(cost) });
  expect(ran.stderr).toContain('note: connector customers: ');
  await writeFile(place.at('small.xlsx'), workbook([{ name: 'A', rows }]));
  const small = await holdfast([...run, '--source', `customers=${place.at('small.xlsx')}`]);
  expect(small).toMatchObject({ status: 0, stderr: expect.not.stringContaining('note:') });
});

test("a workbook becomes a program that runs, and so does next week's, under another name of its sheet", async () => {
  const rows = [
    ['Kundennummer', 'Letzte Anmeldung', 'Umsatz', 'Gekündigt'],
    ...everybody.map((person) => [person.id, new Date(day(person)), person.spend, person.left]),
  ];
  const notes = { name: 'Notizen', rows: [['Stand', 'Quelle']] };
  const file = place.at('kunden.xlsx');
  await writeFile(file, workbook([{ name: 'Kunden', rows }, notes]));
  expect(await place.refusal(file)).toMatch(/it has the sheets Kunden, Notizen: say which with --sheet NAME/);
  await writeFile(file, workbook([{ name: 'Kunden', rows }]));
  const { mappings, label } = await place.report(file);
  expect(mappings.map(({ column, source }) => [column, source])).toEqual([
    ['customer_id', 'Kundennummer'],
    ['days_since_last_login', 'Letzte Anmeldung'],
    ['lifetime_value', 'Umsatz'],
  ]);
  expect(label).toMatchObject({ source: 'Gekündigt' });
  const week = await place.run();
  await writeFile(place.at('next.xlsx'), workbook([{ name: 'November', rows }]));
  expect(await place.run('--source', `customers=${place.at('next.xlsx')}`)).toEqual(week);
  await writeFile(file, workbook([{ name: 'Kunden', rows }, notes]));
  await place.report(file, '--sheet', 'Kunden');
  expect((await place.spec())['dataConnectors'][0].config).toMatchObject({ sheet: 'Kunden', allVarchar: true });
  expect(await place.run()).toEqual(week);
});
