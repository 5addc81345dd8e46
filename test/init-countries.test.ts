import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openEngine } from '../base/duckdb/engine.ts';
import { type InitFolder, initFolder, lines, people } from './support/init-folder.ts';

let place: InitFolder;
beforeAll(async () => {
  place = await initFolder();
});
afterAll(async () => place[Symbol.asyncDispose]());

const everybody = people(1000);
const countries = (of: (index: number) => string) =>
  place.csv(lines(everybody, { Country: (_, index) => of(index), opted_out: () => 0 }));

/** Rows by marketplace that the written query gives. */
async function marketplaces(): Promise<Record<string, number>> {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: place.at('') });
  await engine.run(
    `CREATE VIEW customers AS SELECT * FROM read_csv('${place.at('customers.csv')}', header = true, all_varchar = true)`,
  );
  const rows = await engine.rows<{ marketplace: string | null; count: string }>(
    `SELECT marketplace, count(*) AS count FROM (${await place.query()}) GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ marketplace, count }) => [marketplace ?? 'missing', Number(count)]));
}

test('a name that is unknown in half a percent of the rows is missing and named, and nobody is moved to the US', async () => {
  const { warnings } = await place.report(
    await countries((index) => (index % 200 === 7 ? 'Narnia' : index % 3 === 0 ? 'France' : 'United Kingdom')),
  );
  expect((await place.spec())['marketplaces']).toEqual(['FR', 'GB']);
  expect(await marketplaces()).toEqual({ FR: 332, GB: 663, missing: 5 });
  expect(warnings).toContainEqual(expect.stringMatching(/^Country: 5 rows name no country .*Narnia \(5 rows\)/));
});

test('next week the same countries may be in capitals', async () => {
  await place.report(await countries((index) => (index % 3 === 0 ? 'France' : 'United Kingdom')));
  await countries((index) => (index % 3 === 0 ? 'FRANCE' : 'united kingdom'));
  expect(await marketplaces()).toEqual({ FR: 334, GB: 666 });
});

test('next week the same countries may have their codes, and the British be UK or GB', async () => {
  await place.report(await countries((index) => ['UK', 'Germany', 'Greece'][index % 3] as string));
  await countries((index) => ['GB', 'DEU', 'EL', 'GBR', 'de', 'GR', 'UK', 'Germany'][index % 8] as string);
  expect(await marketplaces()).toEqual({ DE: 375, GB: 375, GR: 250 });
});

test('codes of three letters and Irish EIRE are countries', async () => {
  await place.report(await countries((index) => ['USA', 'GBR', 'EIRE', 'DEU'][index % 4] as string));
  expect((await place.spec())['marketplaces']).toEqual(['DE', 'GB', 'IE', 'US']);
});

test('more countries than a few, some of them rare, all stay what they are', async () => {
  const codes =
    'AE AR AT AU BE BG BR CA CH CL CN CO CZ DE DK EE EG ES FI FR GB GR HK HR HU ID IE IL IN IT JP KR LT LU'.split(' ');
  await place.report(await countries((index) => (index === 999 ? 'NZ' : (codes[index % codes.length] as string))));
  expect((await place.spec())['marketplaces']).toEqual([...codes, 'NZ'].sort());
  expect((await marketplaces())['NZ']).toBe(1);
});

test('the British of one file are in one marketplace, whether it says UK or GB, and pass the filter', async () => {
  await place.report(await countries((index) => (index % 2 === 0 ? 'UK' : 'GB')));
  expect((await place.spec())['marketplaces']).toEqual(['GB']);
  expect((await place.run())['filter']).toBeGreaterThan(700);
});

test('a country that nobody can read is said, together with what is taken in its place', async () => {
  const { warnings } = await place.report(await countries((index) => `Kingdom ${index % 7}`), '--marketplace', 'DE');
  expect(warnings).toContainEqual(expect.stringMatching(/^Country holds no country that is known: DE is taken/));
});
