import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workbook } from './support/workbooks.ts';
import { type CommandResult, holdfast, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
const at = (name: string) => shop.path(name);
beforeAll(async () => {
  shop = await workspace();
  await writeFile(at('first.csv'), customers({ seed: 1, rows: 3000, day: '2026-10-01' }));
  await writeFile(at('later.csv'), customers({ seed: 2, rows: 900, day: '2026-11-01' }));
  const { status, stderr } = await holdfast(['init', at('first.csv'), '-o', at('program.yaml')]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
});
afterAll(async () => await shop[Symbol.asyncDispose]());

const check = (data: string, ...more: string[]): Promise<CommandResult> =>
  holdfast(['models', 'check', '--program', at('program.yaml'), '--data', data, ...more]);

interface Shape {
  readonly seed: number;
  readonly rows: number;
  /** The newest day. */
  readonly day: string;
  readonly label?: (left: boolean) => string;
  /** What the model is given, in place of what the shop writes. */
  readonly asFeatures?: boolean;
  /** Who leaves, whatever they did before. */
  readonly atRandom?: boolean;
}

/** Customers as a German shop writes them: days with points, amounts with commas, words for missing values. */
function customers({ seed, rows, day, label = (left) => (left ? 'Yes' : 'No'), asFeatures, atRandom }: Shape): string {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const names = asFeatures
    ? 'customer_id,days_since_last_login,monthly_charges,plan_basic,support_tickets'
    : 'customer_id,last_login,monthly_charges,plan,support_tickets';
  const lines = [`${names}${label(true) === '' ? '' : ',churned'}`];
  for (let row = 0; row < rows; row++) {
    const days = row === 0 ? 0 : Math.floor(random() * 120);
    const tickets = Math.floor(random() * 6);
    const cents = 2000 + Math.floor(random() * 8000);
    const basic = random() < 0.5;
    const risk = atRandom === true ? 0.4 : 1 / (1 + Math.exp(-((days - 60) / 20 + tickets / 3 - 1.5)));
    const left = random() < risk;
    const login = new Date(Date.parse(day) - days * 86_400_000).toISOString().slice(0, 10).split('-').reverse();
    const shown = asFeatures
      ? [days, cents / 100, basic ? 1 : 0, row % 50 === 1 ? '' : tickets]
      : [
          login.join('.'),
          `"${(cents / 100).toFixed(2).replace('.', ',')}"`,
          basic ? 'basic' : 'premium',
          row % 50 === 1 ? 'n/a' : tickets,
        ];
    lines.push([`C${seed}-${row}`, ...shown, ...(label(true) === '' ? [] : [label(left)])].join(','));
  }
  return `${lines.join('\n')}\n`;
}

test('a model of init is measured on a later file by what its query makes of it, as on the features themselves', async () => {
  await writeFile(at('features.csv'), customers({ seed: 2, rows: 900, day: '2026-11-01', asFeatures: true }));
  const later = await check(at('later.csv'), '--output', 'json');
  expect(later.status).toBe(0);
  const { measured } = JSON.parse(later.stdout);
  expect(measured).toMatchObject({ label: 'churned', rows: 900, unlabelled: 0, rejected: 0, doubts: [] });
  expect(measured.auc).toBeGreaterThan(0.8);
  const model = at('first-retention-risk.onnx');
  const oracle = await holdfast(['models', 'check', model, '--data', at('features.csv'), '--output', 'json']);
  const direct = JSON.parse(oracle.stdout).measured;
  expect(measured.auc).toBeCloseTo(direct.auc, 12);
  expect(measured.reliability).toEqual(direct.reliability);
  // Rows with a missing feature are told apart as ever.
  expect(measured.gaps.with.rows).toBe(18);
});

test('the figures of the training stand beside, for a person and a program', async () => {
  const { stdout } = await check(at('later.csv'));
  expect(stdout).toMatch(/measured {4}900 rows, of whom [\d.]+ % left \(churned\)\n/);
  expect(stdout).toMatch(/in training \d+ rows held out, of whom [\d.]+ % left\n {12}AUC 0\.\d{4} {3}Brier 0\.\d{4}/);
  // What is of the rows of this file stands before the training, and not as if it were of that.
  expect(stdout).toMatch(
    / {12}of 882 rows without missing values: .*\n {12}of 18 rows with missing values: .*\nin training/,
  );
  const { measured } = JSON.parse((await check(at('later.csv'), '-o', 'json')).stdout);
  const keys = ['auc', 'baseRate', 'brier', 'calibrationError', 'logLoss', 'rows'];
  expect(Object.keys(measured.training).toSorted()).toEqual(keys);
});

test.each([
  [
    'has no label yet, it says so, rather than that nobody left',
    { label: () => '' },
    /later2\.csv has no column churned, so nobody knows yet who of its customers left: .* with churned filled in/,
  ],
  ['has a label without values', { label: () => 'n/a' }, /sets apart all 50 rows|No row says in churned/],
  ['has nobody who left', { label: () => 'No' }, /Of 50 rows with a label, nobody left/],
])('where the later file %s', async (_name, shape, said) => {
  await writeFile(at('later2.csv'), customers({ seed: 3, rows: 50, day: '2026-11-01', ...shape }));
  const { status, stderr } = await check(at('later2.csv'));
  expect(stderr).toMatch(said);
  expect(status).toBe(78);
});

test('a model that customers have left behind is doubted, by more than chance', async () => {
  await writeFile(at('other.csv'), customers({ seed: 5, rows: 900, day: '2026-11-01', atRandom: true }));
  const { stdout } = await check(at('other.csv'));
  expect(stdout).toMatch(/! the AUC fell from 0\.\d+ to 0\.\d+, more than chance explains: train it anew/);
  expect(stdout).toMatch(/! its calibration error is 0\.\d+, in training 0\.\d+/);
});

test('the file that it was made of is told for what it is', async () => {
  const { stdout } = await check(at('first.csv'));
  expect(stdout).toMatch(/! it is the file of the program: the model has seen most of these rows/);
});

test('rows that a run would reject are counted apart', async () => {
  const text = customers({ seed: 6, rows: 300, day: '2026-11-01' }).replace(/,\d\d\.\d\d\.2026,/, ',yesterday,');
  await writeFile(at('odd.csv'), text);
  const { stdout } = await check(at('odd.csv'));
  expect(stdout).toMatch(/299 rows, .*\n.*\n +1 more rows are set apart by the query/);
});

test('a program whose query does not say who left is refused with what it lacks', async () => {
  const { status, stderr } = await holdfast([
    'models',
    'check',
    '--program',
    await shop.program(),
    '--data',
    at('later.csv'),
  ]);
  expect({ status, stderr }).toEqual({ status: 78, stderr: expect.stringMatching(/does not say who left/) });
});

test('a scorecard is measured by a file with its features and a label, which the refusal of its program names', async () => {
  const lines = customers({ seed: 1, rows: 300, day: '2026-10-01', label: () => '' });
  await writeFile(at('unlabelled.csv'), lines);
  expect((await holdfast(['init', at('unlabelled.csv'), '-o', at('card.yaml')])).status).toBe(0);
  const refused = await holdfast(['models', 'check', '--program', at('card.yaml'), '--data', at('later.csv')]);
  expect(refused.stderr).toMatch(
    /scorecard that nobody trained, .* its features \(.*days_since_last_login.*\) and who left: `\S*holdfast models check MODEL --data FILE --label COLUMN`/,
  );
  expect(refused.status).toBe(78);
  await writeFile(at('features.csv'), customers({ seed: 2, rows: 900, day: '2026-11-01', asFeatures: true }));
  const card = await holdfast([
    'models',
    'check',
    at('unlabelled-retention-risk.onnx'),
    '--data',
    at('features.csv'),
    '--label',
    'churned',
    '-o',
    'json',
  ]);
  expect(JSON.parse(card.stdout).measured).toMatchObject({ rows: 900, label: 'churned' });
});

test('features that the file lacks are told with the way by the program', async () => {
  const model = at('first-retention-risk.onnx');
  const { stderr } = await holdfast(['models', 'check', model, '--data', at('later.csv')]);
  expect(stderr).toMatch(/no column days_since_last_login, .*models check --program FILE --data FILE/);
});

test('a sheet of a workbook is measured as the same rows in a file', async () => {
  const text = customers({ seed: 2, rows: 900, day: '2026-11-01', asFeatures: true });
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line, row) =>
      line.split(',').map((cell, place) => {
        return row === 0 || place === 0 || !/^[\d.]+$/.test(cell) ? cell : Number(cell);
      }),
    );
  await writeFile(at('same.csv'), text);
  await writeFile(
    at('later.xlsx'),
    workbook([
      { name: 'Notes', rows: [['a', 'b']] },
      { name: 'Later', rows },
    ]),
  );
  const measure = (...more: string[]) =>
    holdfast(['models', 'check', at('first-retention-risk.onnx'), '-o', 'json', ...more]);
  expect((await measure('--data', at('later.xlsx'))).stderr).toMatch(/say which with --sheet NAME/);
  const sheet = await measure('--data', at('later.xlsx'), '--sheet', 'Later');
  const file = await measure('--data', at('same.csv'));
  expect(JSON.parse(sheet.stdout).measured).toEqual(JSON.parse(file.stdout).measured);
});
