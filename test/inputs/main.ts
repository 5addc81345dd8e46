import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CASES } from './cases/index.ts';
import { type Case, openTrial } from './trial.ts';

const HELP = `Runs the commands of a folder of inputs that once failed, and says which still fall short of what is right.

  npm run inputs -- FOLDER [--only 01,A2] [--quiet]

  FOLDER         holds one folder for each input
  --only LIST    these inputs only
  --quiet        prints what falls short only

The last line is JSON: {"right","short","skipped","untried","seconds"}. The exit status is 1 when any falls short, or an
input has nobody who tries it.
`;

const { values, positionals } = parseArgs({
  options: {
    only: { type: 'string' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [folder] = positionals;
if (values.help || folder === undefined) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = await tryAll(resolve(folder));
}

async function tryAll(inputs: string): Promise<number> {
  const only = values.only?.split(',');
  const unknown = only?.filter((name) => CASES.every(({ input }) => input !== name)) ?? [];
  if (unknown.length > 0) {
    process.stderr.write(`--only: nobody tries ${unknown.join(', ')}\n`);
    return 2;
  }
  const begun = performance.now();
  const tally = { right: 0, short: 0, skipped: 0 };
  const tried = new Set(CASES.map(({ input }) => input));
  const untried = (await readdir(inputs)).filter((name) => !tried.has(name));
  for (const one of CASES) {
    if (only !== undefined && !only.includes(one.input)) continue;
    const { word, detail } = await judged(inputs, one);
    tally[word] += 1;
    if (word === 'short' || !values.quiet) process.stdout.write(`${word.padEnd(8)}${one.input}  ${one.right}\n`);
    if (detail !== undefined && (word === 'short' || !values.quiet)) process.stdout.write(`            ${detail}\n`);
  }
  for (const name of untried) process.stdout.write(`untried ${name}\n`);
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`${JSON.stringify({ ...tally, untried: untried.length, seconds })}\n`);
  return tally.short === 0 && untried.length === 0 ? 0 : 1;
}

async function judged(
  inputs: string,
  one: Case,
): Promise<{ word: 'right' | 'short' | 'skipped'; detail: string | undefined }> {
  if (one.skip !== undefined) return { word: 'skipped', detail: one.skip };
  try {
    await using trial = await openTrial(inputs, one.input);
    const detail = await one.check(trial);
    return { word: detail === undefined ? 'right' : 'short', detail };
  } catch (error) {
    return { word: 'short', detail: error instanceof Error ? error.message : String(error) };
  }
}
