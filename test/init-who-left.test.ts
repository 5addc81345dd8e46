import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openEngine } from '../base/duckdb/engine.ts';
import { type InitFolder, initFolder, lines, type Person, people } from './support/init-folder.ts';
import { holdfast, NOW } from './support/workspace.ts';

let place: InitFolder;
beforeAll(async () => {
  place = await initFolder();
});
afterAll(async () => place[Symbol.asyncDispose]());

const everybody = people(400);
const left = everybody.filter((person) => person.left).length;
/** The day of the last login, counted back from 31 May 2024. */
const day = (offset: number) => new Date(Date.UTC(2024, 4, 31) + offset * 86_400_000).toISOString().slice(0, 10);
const lastLogin = { last_login: ({ idle }: Person) => day(-idle) };
/** Those who left did so on their last day. */
const cancelled =
  (later: (person: Person) => boolean) =>
  ({ idle, left, ...rest }: Person) =>
    left ? day(-idle) : later({ idle, left, ...rest }) ? day(30) : '';

describe('whoever has left is no candidate', () => {
  test.each<[string, string, (person: Person, index: number) => string | number]>([
    ['a day', 'cancelled_at', cancelled(() => false)],
    ['a day of churn', 'churn_date', cancelled(() => false)],
    [
      'a day as a German writes it',
      'closed_on',
      ({ left, idle }) => (left ? day(-idle).split('-').reverse().join('.') : ''),
    ],
    ['a label with a horizon', 'churn_90', ({ left }) => Number(left)],
    ['a label with a horizon in days', 'churned_30d', ({ left }) => Number(left)],
    [
      'a state',
      'subscription_status',
      ({ left, chance }) => (left ? (chance < 0.5 ? 'Cancelled' : 'closed') : chance < 0.3 ? 'past_due' : 'active'),
    ],
    [
      'a state with reasons',
      'subscription_status',
      ({ left, chance }) => (left ? (chance < 0.5 ? 'Cancelled - Voluntary' : 'canceled (non-payment)') : 'Active'),
    ],
    [
      'a day without anything between',
      'cancelled_at',
      ({ left, idle }) => (left ? day(-idle).replaceAll('-', '') : ''),
    ],
    ['a day whose name begins with the date', 'date_left', cancelled(() => false)],
    ['the state of an account', 'account_status', ({ left }) => (left ? 'CLOSED' : 'Active')],
    [
      'any state, where others are active',
      'status',
      ({ left, chance }) => (left ? 'terminated' : chance < 0.2 ? 'paused' : 'active'),
    ],
    ['a decimal flag', 'churned', ({ left }) => (left ? '1.0' : '0.0')],
    ['a decimal flag with gaps', 'churned', ({ left, chance }) => (chance < 0.05 && !left ? '' : left ? '1.0' : '0.0')],
    ['a truth with a blank and a point', 'churned', ({ left }) => (left ? ' True.' : ' False.')],
    [
      'a truth in several ways of writing',
      'churned',
      ({ left, chance }) => (left ? 'Yes' : chance < 0.5 ? 'no' : 'NO'),
    ],
  ])('as %s says (%s)', async (_, name, of) => {
    const file = await place.csv(lines(everybody, { ...lastLogin, [name]: of, region_code: (__, index) => index % 7 }));
    await place.report(file);
    expect(await place.customers(file)).toBe(400 - left);
  });

  test('a state of a ticket, and an inactive or paused customer, say nothing of that', async () => {
    const columns = {
      ...lastLogin,
      ticket_state: ({ chance }: Person) => (chance < 0.5 ? 'closed' : 'open'),
      subscription_status: ({ chance }: Person) => (chance < 0.3 ? 'paused' : 'active'),
    };
    await place.report(await place.csv(lines(everybody, columns)));
    expect(await place.customers()).toBe(400);
  });
});

test.each<[string, string, string, string[]]>([
  ['Yes', 'No', 'churned', []],
  ['Churned', 'Stayed', 'customer_status', []],
  ['Gone', 'Here', 'state', ['--label', 'state=Gone']],
])('next week the same words may be in capitals: %s, %s', async (gone, here, name, options) => {
  const file = (write: (word: string) => string, csv: string) =>
    place.csv(lines(everybody, { [name]: ({ left: isGone }) => write(isGone ? gone : here) }), csv);
  await place.report(await file((word) => word, 'customers.csv'), ...options);
  expect(await place.customers(await file((word) => word.toUpperCase(), 'next.csv'))).toBe(400 - left);
});

describe('a flag of leaving that is the same in every row', () => {
  const file = (write: (person: Person) => string | number, csv?: string) =>
    place.csv(lines(everybody, { ...lastLogin, churned: write }), csv);
  test.each<[string, string | number, string | number]>([
    ['a number', 0, 1],
    ['a word', 'no', 'Yes'],
    ['a truth', 'false', 'true'],
  ])('keeps those out who have left in the next file: %s', async (_, no, yes) => {
    const { warnings } = await place.report(await file(() => no));
    expect(warnings.join()).toContain('since churned says the same of everybody');
    expect(await place.customers()).toBe(400);
    expect(await place.customers(await file(({ left: gone }) => (gone ? yes : no), 'next.csv'))).toBe(400 - left);
  });
  test('leaves nobody to be kept where it is true', async () => {
    expect(await place.refusal(await file(() => 1))).toContain('By churned, everybody in it has left');
  });
});

test.each(['retained', 'is_active', 'renewed'])('%s is offered as the opposite of a label', async (name) => {
  const file = await place.csv(lines(everybody, { ...lastLogin, [name]: ({ left: gone }) => Number(!gone) }));
  expect((await place.report(file)).warnings).toContain(
    `${name} might say it, if those with 0 have left: --label ${name}=0`,
  );
  expect((await place.report(file, '--label', `${name}=0`)).model.kind).toBe('logistic-regression');
  expect(await place.customers()).toBe(400 - left);
});

test.each([
  ['retained', ({ left }: Person) => Number(!left), '0'],
  ['Stayed', ({ left }: Person) => (left ? 'No' : 'Yes'), 'No'],
  ['aktiv', ({ left }: Person) => (left ? 'nein' : 'ja'), 'nein'],
] as const)('%s as a label asks which of its values those have who left', async (name, value, no) => {
  const file = await place.csv(lines(everybody, { [name]: value }));
  expect(await place.refusal(file, '--label', name)).toContain(
    `--label ${name}: it is named like what says who stayed. Say which of its values those have who left, such as --label ${name}=${no}`,
  );
  await place.report(file, '--label', `${name}=${no}`);
  expect(await place.customers(file)).toBe(everybody.length - left);
});

test('a label that comes blank next week keeps nobody a candidate who may have left', async () => {
  const file = (write: (person: Person) => string, csv: string) => place.csv(lines(everybody, { churned: write }), csv);
  await place.report(await file(({ left: gone }) => (gone ? '1' : '0'), 'customers.csv'));
  const query = await place.query();
  expect(query).toContain("THEN 'churned missing, so that nobody knows who left' END");
  const blank = await file(() => '', 'next.csv');
  const where = ['--now', NOW, '--output', 'json', '--dry-run', '--data', place.at('state'), '--source'];
  const ran = await holdfast(['run', place.at('program.yaml'), ...where, `customers=${blank}`]);
  expect(ran.stderr).toContain('churned missing, so that nobody knows who left');
  await place.report(await file(({ left: gone, chance }) => (gone ? '1' : chance < 0.3 ? '' : '0'), 'customers.csv'));
  expect(await place.query()).not.toContain('churned missing');
});

test('a day after that of the file is a notice: counted, still there, and never dropped', async () => {
  const columns = { ...lastLogin, cancelled_at: cancelled(({ chance }) => chance < 0.1) };
  const notice = everybody.filter(({ left: gone, chance }) => !gone && chance < 0.1).length;
  const made = await place.report(await place.csv(lines(everybody, columns)));
  expect(made.departed).toEqual([{ source: 'cancelled_at', left, notice }]);
  expect((await place.run())['extract']).toBe(400 - left);
});

test('days of leaving past all others are those of the file, as where the only other day is that of the start', async () => {
  const columns = { signup_date: ({ idle }: Person) => day(-900 - idle), cancelled_at: cancelled(() => false) };
  const made = await place.report(await place.csv(lines(everybody, columns)));
  expect(made.departed).toEqual([{ source: 'cancelled_at', left, notice: 0 }]);
});

test('a day that stands for none neither has come nor is to come', async () => {
  const columns = { ...lastLogin, cancelled_at: ({ chance }: Person) => (chance < 0.5 ? '9999-12-31' : '1900-01-01') };
  const made = await place.report(await place.csv(lines(everybody, columns)));
  expect(made.departed).toEqual([{ source: 'cancelled_at', left: 0, notice: 0 }]);
  expect(await place.customers()).toBe(400);
});

test('a filled day is a label when a person says so, and is offered as one', async () => {
  const file = await place.csv(
    lines(everybody, { ...lastLogin, cancelled_at: cancelled(({ chance }) => chance < 0.1) }),
  );
  const { warnings, model } = await place.report(file);
  expect(model.kind).toBe('scorecard');
  expect(warnings).toContainEqual(
    expect.stringMatching(/^cancelled_at is filled in \d+ of 400 rows.*--label cancelled_at$/),
  );
  const made = await place.report(file, '--label', 'cancelled_at');
  expect(made.departed[0]?.left).toBe(left);
  expect(made.model.kind).toBe('logistic-regression');
  expect(made.label?.source).toBe('cancelled_at');
  expect(await place.customers()).toBe(400 - left);
});

test('a reason that only those who left have is offered as a label, and can be one', async () => {
  const reason = ({ left: gone, chance }: Person) =>
    gone ? ['price', 'moved', 'service'][Math.floor(chance * 3)]! : '';
  const file = await place.csv(lines(everybody, { churn_reason: reason }));
  expect((await place.report(file)).warnings).toContainEqual(expect.stringMatching(/--label churn_reason$/));
  expect((await place.report(file, '--label', 'churn_reason')).model.kind).toBe('logistic-regression');
  expect(await place.customers()).toBe(400 - left);
});

describe('a label whose values do not say which is which', () => {
  const oneTwo = ({ left: gone }: Person) => (gone ? 2 : 1);
  const oneBlank = ({ left: gone }: Person) => (gone ? 1 : '');

  test('is asked about, and read as a person answers', async () => {
    const file = await place.csv(lines(everybody, { churned: oneTwo }));
    const { model, warnings } = await place.report(file);
    expect(model.kind).toBe('scorecard');
    expect(warnings).toContain('churned might say it, of its values 1, 2 it is not known which: --label churned=2');
    expect((await place.report(file, '--label', 'churned=2')).model.kind).toBe('logistic-regression');
    expect(await place.customers()).toBe(400 - left);
  });
  test.each([
    ['churn_state', 'churn_state might say it, of its values 1, 2 it is not known which: --label churn_state=2'],
    [
      'kuendigungsstatus',
      'kuendigungsstatus might say it, of its values 1, 2 it is not known which: --label kuendigungsstatus=2',
    ],
  ])('is asked about where it is called %s, also where nothing else scores customers', async (column, question) => {
    const file = await place.csv(lines(everybody, { [column]: oneTwo }));
    expect((await place.report(file)).warnings).toContain(question);
    const bare = await place.csv(
      [`customer_id,total_spend,${column}`, ...everybody.map((one) => `${one.id},${one.spend},${oneTwo(one)}`)],
      'bare.csv',
    );
    expect(await place.refusal(bare)).toContain(question);
    expect((await place.report(bare, '--label', `${column}=2`)).model.kind).toBe('logistic-regression');
  });
  test('is asked about with a command that can be pasted, however long its name is', async () => {
    const column = `churned${' in the next 3 months'.repeat(4)}`;
    const file = await place.csv(lines(everybody, { [column]: oneTwo }));
    const { warnings } = await place.report(file);
    expect(warnings.join('\n')).toContain(`--label '${column}=2'`);
  });
  test('is asked about where it has one value and gaps', async () => {
    const file = await place.csv(lines(everybody, { churned: oneBlank }));
    expect((await place.report(file)).warnings).toContain(
      'churned might say it, if those without its value 1 stayed: --label churned=1',
    );
    expect((await place.report(file, '--label', 'churned=1')).model.kind).toBe('logistic-regression');
    expect(await place.customers()).toBe(400 - left);
  });
  test.each(['churned=1', 'churned=1.0', 'churned'])(
    'is found as --label %s in a file of 1.0 and 0.0',
    async (label) => {
      const file = await place.csv(lines(everybody, { churned: ({ left: gone }) => (gone ? '1.0' : '0.0') }));
      expect((await place.report(file, '--label', label)).model.kind).toBe('logistic-regression');
      expect(await place.customers()).toBe(400 - left);
    },
  );
  test.each(['churned=Yes', 'churned'])('says nothing of those where it is missing: --label %s', async (label) => {
    const missing = String.raw`\N`;
    const file = await place.csv(
      lines(everybody, { churned: ({ left: gone, chance }) => (chance < 0.1 ? missing : gone ? 'Yes' : 'No') }),
    );
    await place.report(file, '--label', label);
    const { training, figures } = JSON.parse(await readFile(place.at('customers-retention-risk.json'), 'utf8'));
    expect(training.rows + figures.holdoutRows).toBe(everybody.filter(({ chance }) => chance >= 0.1).length);
  });
});

test.each(['DOUBLE', 'FLOAT', 'DECIMAL(3, 1)', 'BOOLEAN'])('a label of Parquet may be %s with gaps', async (type) => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: place.at('') });
  const file = await place.csv(
    lines(everybody, { churned: ({ left: gone, chance }) => (chance < 0.05 ? '' : Number(gone)) }),
  );
  await engine.run(
    `COPY (SELECT * REPLACE (CAST(churned AS ${type}) AS churned) FROM read_csv('${file}')) TO '${place.at('c.parquet')}' (FORMAT parquet)`,
  );
  const { label } = await place.report(place.at('c.parquet'));
  expect(label?.source).toBe('churned');
  expect(await place.customers(place.at('c.parquet'))).toBe(
    400 - everybody.filter(({ left: gone, chance }) => gone && chance >= 0.05).length,
  );
});

test('a file of next week with another word for those who left is refused, not read as if they had stayed', async () => {
  const file = (gone: string, name: string) =>
    place.csv(lines(everybody, { ...lastLogin, churn_status: ({ left: is }) => (is ? gone : 'Stayed') }), name);
  await place.report(await file('Left', 'customers.csv'));
  const rejected = async (gone: string) => {
    const path = await file(gone, 'next.csv');
    return (await place.values('rejected_because', path)).filter((reason) => reason !== '' && reason !== null);
  };
  expect(await rejected('LEFT')).toEqual([]);
  expect(await rejected('Moved')).toEqual(Array(left).fill('churn_status neither Stayed nor Left'));
});

test('whoever has left by one of their rows has left, where no day says which row is newer', async () => {
  const said = lines(everybody, { churned: ({ left: gone }) => (gone ? 'Yes' : 'No') });
  const stayed = said.slice(1).filter((line) => line.endsWith('No'));
  const twice = stayed.slice(0, 30).flatMap((line) => [line.replace(/,No$/, ',Yes')]);
  await place.report(await place.csv([...said, ...twice]));
  expect(await place.customers()).toBe(400 - left - 30);
});

test.each([
  ['cancelled_at', ({ left: gone }: Person) => (gone ? '03-Nov-26' : ''), /^cancelled_at is named like the day/],
  ['opted_out', ({ chance }: Person) => (chance < 0.2 ? 'x' : ''), /^opted_out is named like a refusal/],
  [
    'unsubscribed_at',
    ({ chance }: Person) => (chance < 0.2 ? day(-3) : ''),
    /^unsubscribed_at is named like a refusal/,
  ],
])('a column %s that is not understood is named, for nobody is left out by it', async (name, of, warning) => {
  const columns = { ...lastLogin, churned: ({ left: gone }: Person) => Number(gone), [name]: of };
  const { warnings } = await place.report(await place.csv(lines(everybody, columns)));
  expect(warnings).toContainEqual(expect.stringMatching(warning));
});
