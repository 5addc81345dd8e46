import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Onboarding, onboarding, type Person, people } from './support/onboarding.ts';
import { workbook } from './support/workbooks.ts';
import { holdfast, NOW } from './support/workspace.ts';

let place: Onboarding;
beforeAll(async () => {
  place = await onboarding();
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
