import { parseArgs } from 'node:util';
import { corpus } from './corpus.ts';
import { judge } from './judge.ts';
import { mutantOf } from './mutant.ts';

const HELP = `Shows that no manifest crashes Holdfast, however it is broken.

  npm run fuzz:manifests -- [--seed N] [--count N] [--only NUMBER]

Takes the valid manifests of examples/ and test/manifests/good, breaks each mutant in up to four ways (its tree, its
text, its bytes), and validates it. Each must be accepted or refused; a refusal names a field, or a line where it is not
YAML; nothing is polluted, and none takes long.

  --seed N       picks the mutants; default: a new one each time
  --count N      how many; default 10000
  --only NUMBER  judges this one mutant of the seed and prints its bytes

The last line is JSON: {"mutants","accepted","refused","unreadable","wrong","seed","seconds"}. The exit status is 1 when
any was wrong.
`;

const options = readOptions();
if (options.help) process.stdout.write(HELP);
else process.exitCode = await main();

function readOptions() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        count: { type: 'string', default: '10000' },
        only: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const seed = wholeNumber('seed', options.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const count = wholeNumber('count', options.count);
  const seedlings = corpus();
  const begun = performance.now();
  const tally = { accepted: 0, refused: 0, unreadable: 0 };
  let wrong = 0;
  const numbers =
    options.only === undefined
      ? Array.from({ length: count }, (_, index) => index)
      : [wholeNumber('only', options.only)];
  for (const number of numbers) {
    const { name, from, bytes } = mutantOf(seedlings, seed, number);
    const verdict = await judge(bytes);
    tally[verdict.outcome] += 1;
    if (options.only !== undefined) process.stdout.write(bytes);
    if (verdict.wrong.length === 0) continue;
    wrong += 1;
    process.stdout.write(`wrong  ${name} (${from})\n${verdict.wrong.map((line) => `    ${line}\n`).join('')}`);
  }
  const seconds = Math.round((performance.now() - begun) / 1000);
  process.stdout.write(`${JSON.stringify({ mutants: numbers.length, ...tally, wrong, seed, seconds })}\n`);
  return wrong === 0 ? 0 : 1;
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  return refuse(`--${name} ${text}: expected a whole number`);
}
