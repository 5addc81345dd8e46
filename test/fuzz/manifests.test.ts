import { spawn } from 'node:child_process';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { corpus } from './corpus.ts';
import { judge } from './judge.ts';
import { mutantOf } from './mutant.ts';

/** A share of what `npm run fuzz:manifests` does; the seed stays, so that a red run is about the change. */
const MUTANTS = 700;
const SEED = 20_261_125;

test(`none of ${MUTANTS} broken manifests crashes the validation, and each refusal names a field or a line`, async () => {
  const seedlings = corpus();
  const outcomes = new Set<string>();
  const wrong: string[] = [];
  for (let number = 0; number < MUTANTS; number += 1) {
    const { name, bytes } = mutantOf(seedlings, SEED, number);
    const verdict = await judge(bytes);
    outcomes.add(verdict.outcome);
    wrong.push(...verdict.wrong.map((line) => `${name}: ${line}`));
  }
  expect(wrong).toEqual([]);
  // Mutants that are all refused, or all accepted, would try nothing.
  expect([...outcomes].sort()).toEqual(['accepted', 'refused', 'unreadable']);
});

const SPEC = 'apiVersion: holdfast.dev/v1alpha1\nkind: RetentionProgram\nmetadata: {name: a}\nspec:\n';
const numbered = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index));

describe('what a mutant found once', () => {
  test.each([
    ['a merge of a text', 'a: &a text\nb:\n  <<: *a\n', 'unreadable'],
    ['a merge of a list of texts', 'a:\n  <<: [x, y]\n', 'unreadable'],
    ['a list as a key', '? [a, b]\n: c\n', 'unreadable'],
    ['an alias as a key', 'a: &a __proto__\nb:\n  *a : {polluted: true}\n', 'unreadable'],
    ['__proto__ in a merged map', 'a:\n  <<: {"__proto__": {polluted: true}}\n', 'unreadable'],
    [
      '__proto__ deep within labels',
      `${SPEC.replace('{name: a}', '{name: a, labels: {"\\u005f_proto__": {a: b}}}')}  a: 1\n`,
      'unreadable',
    ],
    ['constructor.prototype', 'constructor: {prototype: {polluted: true}}\n', 'refused'],
    ['a key that turns a terminal', `${SPEC}  "\\u009b31m\\u202e": 1\n`, 'refused'],
    ['a value that turns a terminal', `${SPEC}  programId: "\\u009b31m\\u202e"\n`, 'refused'],
    ['a field with a name of nine hundred letters', `${SPEC}  ${'-'.repeat(900)}x: 1\n`, 'refused'],
    ['a list that was meant, of thousands of letters', `${SPEC}  marketplaces: ${'x'.repeat(5000)}\n`, 'refused'],
    ['lists in lists, past a hundred', `a: ${'['.repeat(1000)}${']'.repeat(1000)}`, 'unreadable'],
    [
      'forty thousand fields that do not exist',
      `${SPEC}${numbered(40_000, (index) => `  k${index}: 1`).join('\n')}`,
      'refused',
    ],
    [
      'an address of twenty thousand parts, which a pattern would try in every way',
      `${SPEC}  scoringModels: [{modelId: a, features: [a], endpoint: "https://${'/v2/models/'.repeat(22_000)} "}]`,
      'refused',
    ],
    ['a schedule of years by nothing', `${SPEC}  batchSchedule: "cron(0 2 ? * MON 2026/00)"\n`, 'refused'],
    [
      'a thousand anchors in one list',
      `${numbered(1000, (index) => `a${index}: &a${index} 1`).join('\n')}\nl: &l [${numbered(1000, (index) => `*a${index}`).join(', ')}]\nm: *l`,
      'unreadable',
    ],
  ])('%s is judged like any other', async (_name, text, outcome) => {
    expect(await judge(Buffer.from(text))).toEqual({ outcome, wrong: [] });
  });
});

test.each([
  ['a whole number', 'order: 1', 'order: -0'],
  ['a number', 'discount: 50', 'discount: -0.0'],
])('a negative nought for %s is nought, as it is in JSON', async (_name, written, changed) => {
  const [seed = ''] = corpus().flatMap(({ name, text }) => (name.endsWith('seed.yaml') ? [text] : []));
  expect(seed).toContain(written);
  expect(await judge(Buffer.from(seed.replace(written, changed)))).toEqual({ outcome: 'accepted', wrong: [] });
});

describe('a bomb', () => {
  const laughs = numbered(
    9,
    (index) => `a${index + 1}: &a${index + 1} [${numbered(9, () => `*a${index}`).join(', ')}]`,
  );
  test.each([
    ['of aliases that laugh a billion times', `a0: &a0 [lol]\n${laughs.join('\n')}\n`],
    [
      'of one long text a hundred times',
      `a: &a ${'x'.repeat(300_000)}\nb: [${numbered(120, () => '*a').join(', ')}]\n`,
    ],
    ['of brackets nested a million times', '['.repeat(1_000_000)],
    ['of maps nested a quarter of a million times', '{a: '.repeat(250_000)],
    ['of one text without an end', endless('x')],
    ['of documents without an end', endless('---\na: 1\n')],
  ])('%s is refused with a code, in a heap of 128 MB', async (_name, input) => {
    const { status, stderr } = await validate(input);
    expect(stderr).toMatch(/^HF_MANIFEST_UNREADABLE: stdin:/);
    expect(status).toBe(78);
  });
});

function endless(text: string): Readable {
  const chunk = text.repeat(8192);
  return new Readable({
    read() {
      this.push(chunk);
    },
  });
}

async function validate(input: string | Readable): Promise<{ status: number | null; stderr: string }> {
  const root = path.join(import.meta.dirname, '..', '..');
  const child = spawn('node', ['--max-old-space-size=128', 'cli/entry.ts', 'validate', '-'], {
    cwd: root,
    // Some of what it is given has no end.
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.resume();
  child.stdin.on('error', () => {});
  const source = typeof input === 'string' ? Readable.from([input]) : input;
  source.pipe(child.stdin);
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  source.destroy();
  return { status, stderr };
}
