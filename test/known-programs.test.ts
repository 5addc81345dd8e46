import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { NOW, type Workspace, workspace } from './support/workspace.ts';

let shop: Workspace;
let postgres: TestPostgres;
let environment: Record<string, string>;
beforeAll(async () => {
  postgres = await openPostgres();
  environment = { DATABASE_URL: postgres.url };
  shop = await workspace();
  const program = await shop.program();
  expect(await shop.holdfast(['run', program, '--now', NOW], { environment })).toMatchObject({ status: 0 });
  const elsewhere = (await readFile(program, 'utf8')).replace('name: keep', 'name: keep\n  namespace: other');
  await writeFile(shop.path('other.yaml'), elsewhere);
  expect(await shop.holdfast(['run', shop.path('other.yaml'), '--now', NOW], { environment })).toMatchObject({
    status: 0,
  });
  await mkdir(shop.path('empty'));
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
  await postgres[Symbol.asyncDispose]();
});

const RUN = 'keep-20261123t020000z-1';
/** Each command that asks about what has run, of a program by this name. */
const COMMANDS: Record<string, (program: string) => readonly string[]> = {
  explain: (program) => ['explain', program, '--candidates'],
  prune: (program) => ['prune', program],
  runs: (program) => ['runs', program],
  status: (program) => ['status', program],
  candidates: (program) => ['candidates', program],
  discard: (program) => ['discard', RUN, '--program', program, '--reason', 'a trial'],
  current: (program) => ['current', program],
};
const asked = (args: readonly string[]) => shop.holdfast([...args, '--data', shop.data], { environment });
const askedIn = (folder: string, args: readonly string[]) => shop.holdfast([...args, '--data', shop.path(folder)]);

describe.each(Object.entries(COMMANDS))('%s', (_command, of) => {
  const NOWHERE = /^HF_NOT_FOUND: (?:there is no state in|nothing has run in) \S+/;
  test.each<[string, () => Promise<{ status: number; stderr: string }>, RegExp]>([
    [
      'a name mistyped',
      () => asked(of('kepp')),
      /kepp has not run in .*, namespace default; .* keep \(did you mean keep\?\)/,
    ],
    [
      'a name that is nothing like it',
      () => asked(of('winter')),
      /winter has not run .*; the programs that have are keep\n$/,
    ],
    [
      'a name of other namespaces',
      () => asked([...of('keep'), '--namespace', 'third']),
      /keep has not run .*, namespace third; it has in the namespace default, other: give --namespace\n$/,
    ],
    ['a folder that is not there', () => askedIn('gone', of('keep')), NOWHERE],
    ['a folder that is empty', () => askedIn('empty', of('keep')), NOWHERE],
  ])('refuses %s, and says what there is', async (_case, result, says) => {
    expect(await result()).toMatchObject({ status: 78, stderr: expect.stringMatching(says) });
  });
});

test.each([
  [
    'runs',
    ['runs', '--namespace', 'third'],
    /nothing has run in .*, namespace third; the programs that have are keep \(--namespace default\), keep \(--namespace other\)/,
  ],
  ['status', ['status', '--namespace', 'third'], /nothing has run in .*, namespace third; the programs that have are/],
  [
    'discard',
    ['discard', RUN, '--reason', 'a trial', '--namespace', 'third'],
    /nothing has run in .*, namespace third/,
  ],
  [
    'discard of a run',
    ['discard', 'keep-1', '--reason', 'a trial'],
    /no run keep-1 in the namespace default; the newest are keep-2026/,
  ],
  ['explain', ['explain'], /missing required argument/],
  ['prune', ['prune'], /name one program, or give --all/],
])('%s where nothing is meant by what is given', async (_command, args, says) => {
  expect(await asked(args)).toMatchObject({ status: 78, stderr: expect.stringMatching(says) });
});
