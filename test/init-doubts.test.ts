import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type InitFolder, initFolder, lines, type Person, people } from './support/init-folder.ts';

let place: InitFolder;
beforeAll(async () => {
  place = await initFolder();
});
afterAll(async () => place[Symbol.asyncDispose]());

const everybody = people(600);
const churned = ({ left }: Person) => Number(left);

describe('columns that know the answer', () => {
  test('a text that knows it as a whole is left out, though none of its words knows it alone', async () => {
    const ticket_state = ({ left, chance }: Person) => (left ? (chance < 0.5 ? 'open' : 'closed') : 'no ticket');
    const { notFeatures, model } = await place.report(await place.csv(lines(everybody, { ticket_state, churned })));
    expect(notFeatures).toContainEqual(expect.stringMatching(/^ticket_state: tells by itself who left/));
    expect(model.features.join()).not.toContain('ticket');
  });

  test('two that know it together are left out: each is filled for some who left, and for nobody else', async () => {
    const columns = {
      phone_complaint: ({ left, chance }: Person) => (left && chance < 0.5 ? 1 : 0),
      mail_complaint: ({ left, chance }: Person) => (left && chance >= 0.5 ? 1 : 0),
      churned,
    };
    const { notFeatures } = await place.report(await place.csv(lines(everybody, columns)));
    expect(notFeatures).toContainEqual(
      expect.stringMatching(/^phone_complaint, mail_complaint: has a value that only/),
    );
  });

  test('figures that are too good are doubted, with the column that tells most', async () => {
    const complaint = ({ left, chance }: Person) => Number(chance < 0.03 ? !left : left);
    const { warnings, model } = await place.report(await place.csv(lines(everybody, { complaint, churned })));
    expect(model.figures['auc']).toBeGreaterThan(0.97);
    expect(warnings).toContainEqual(
      expect.stringMatching(/^almost too good: does complaint know afterwards who left\?/),
    );
    expect(await readFile(place.at('program.yaml'), 'utf8')).toContain('WARNING: almost too good');
  });
});

describe('ids that identify a person elsewhere are warned of', () => {
  test.each<[string, string, (index: number) => string]>([
    ['e-mail addresses', 'customer_id', (index) => `p${index}@example.com`],
    ['telephone numbers', 'phone number', (index) => `${200 + (index % 700)}-${1000 + index}`],
    ['telephone numbers', 'customer_id', (index) => `+49 170 ${1_000_000 + index}`],
    ['account numbers (IBAN)', 'customer_id', (index) => `DE${String(index).padStart(20, '1')}`],
    ['social security or passport numbers', 'ssn', (index) => `900-${10 + (index % 90)}-${1000 + index}`],
    [
      'names of people',
      'full_name',
      (index) => `Ada Person${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index / 26)}`,
    ],
  ])('%s in %s', async (what, column, id) => {
    const file = await place.csv([
      `${column},days_inactive`,
      ...everybody.slice(0, 120).map(({ idle }, index) => `${id(index)},${idle}`),
    ]);
    const { warnings } = await place.report(file, '--id', column);
    expect(warnings).toContainEqual(
      `the ids of the customers (${column}) are ${what}: ids go into Postgres, the API, its page and the logs of proxies. Use a key that says nothing of a person, such as a number of your own or a keyed hash.`,
    );
    expect(warnings.join()).not.toMatch(/@example|Ada|900-/);
  });

  test.each([
    ['customer_id', (index: number) => `C${index}`],
    ['customer_id', (index: number) => `${10_000_000 + index}`],
    ['customer_id', (index: number) => `7590-VHVEG${index}`],
    ['customer_id', (index: number) => `f47ac10b-58cc-4372-a567-${String(index).padStart(12, '0')}`],
  ])('a key that says nothing is not (%s)', async (column, id) => {
    const rows = everybody.slice(0, 60).map(({ idle }, index) => `${id(index)},${idle}`);
    const { warnings } = await place.report(await place.csv([`${column},days_inactive`, ...rows]));
    expect(warnings.filter((warning) => warning.startsWith('the ids'))).toEqual([]);
  });
});

test('where there is no id, ways on are said', async () => {
  const rows = everybody.slice(0, 50).map(({ idle, spend }) => `${idle % 5},${spend}`);
  expect(await place.refusal(await place.csv(['days_inactive,total_spend', ...rows]))).toMatch(
    /--id COLUMN.*a key of several columns, or a row number \(row_number\(\) OVER \(\) AS customer_id\).*this one file only/,
  );
});

test('no model is given a protected characteristic unless a person names it, and then it is said', async () => {
  const columns = {
    Age: (_: Person, index: number) => 18 + (index % 60),
    MaritalStatus: (_: Person, index: number) => ['single', 'married', 'divorced'][index % 3] as string,
    Dependents: (_: Person, index: number) => index % 4,
    churned,
  };
  const file = await place.csv(lines(everybody, columns));
  const without = await place.report(file);
  expect(without.notFeatures).toContainEqual(
    expect.stringMatching(/^Age, MaritalStatus, Dependents: a protected characteristic.*--use-protected COLUMN$/),
  );
  expect(without.model.features.join()).not.toMatch(/age\b|marital|dependents/);
  const given = await place.report(file, '--use-protected', 'age');
  expect(given.model.features).toContain('age');
  expect(given.warnings).toContain('the model is given Age (age), a protected characteristic, by --use-protected.');
  expect(await place.refusal(file, '--use-protected', 'agee')).toMatch(/--use-protected agee: .*did you mean Age/);
});

test('what a first run would find is said after the filters, and is what a run finds', async () => {
  const columns = {
    opted_out: ({ chance }: Person) => (chance < 0.7 ? 'yes' : 'no'),
    last_purchase: ({ idle }: Person) => new Date(Date.UTC(2024, 4, 31) - idle * 86_400_000).toISOString().slice(0, 10),
    churned,
  };
  const { reach } = await place.report(await place.csv(lines(everybody, columns)));
  expect(reach.customers).toBe(everybody.filter(({ left }) => !left).length);
  expect(reach.medium).toBeGreaterThan(reach.candidates);
  const rows = await place.run();
  expect(rows['score']).toBe(reach.candidates);
  expect(await readFile(place.at('program.yaml'), 'utf8')).toMatch(
    new RegExp(
      `${reach.medium} reach medium,[\\s#]+and[\\s#]+the[\\s#]+filters[\\s#]+below[\\s#]+leave[\\s#]+${reach.candidates} of them`,
    ),
  );
});

test('a model has one base rate: that of the rows on which it was measured', async () => {
  await place.report(await place.csv(lines(everybody, { churned })));
  const { figures } = JSON.parse(await readFile(place.at('customers-retention-risk.json'), 'utf8'));
  const written = (await readFile(place.at('program.yaml'), 'utf8')).replaceAll(/\s+#\s+/g, ' ');
  const [, share] = /of them left ([\d.]+) %/.exec(written) ?? [];
  expect(share).toBe((100 * figures.baseRate).toFixed(1));
});
