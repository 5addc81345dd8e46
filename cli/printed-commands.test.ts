import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { ERROR_CODES } from '../base/errors.ts';
import { calledAs, withCommandAsCalled } from './called-as.ts';
import type { Io } from './io.ts';
import { commands } from './main.ts';

const ROOT = join(import.meta.dirname, '..');

/** What a command may touch: nothing. */
function silent(environment: Record<string, string> = {}): Io & { text: () => string } {
  let text = '';
  const stream = { write: (more: string) => (text += more) };
  const signal = new AbortController().signal;
  return {
    stdout: stream,
    stderr: stream,
    environment,
    signal,
    now: () => new Date(0),
    elapsed: () => 0,
    text: () => text,
  };
}

const leaves = (command: Command): Command[] =>
  command.commands.length === 0 ? [command] : command.commands.flatMap((one) => leaves(one));

/** Parses a command line and runs nothing. @throws what commander says against it */
async function parse(words: readonly string[]): Promise<void> {
  const holdfast = commands(silent(), () => {});
  for (const leaf of leaves(holdfast)) leaf.action(() => {});
  await holdfast.parseAsync([...words], { from: 'user' });
}

/** The words of each call of holdfast in a line for a shell. */
function callsIn(line: string): string[][] {
  const calls: string[][] = [];
  let words: string[] = [];
  const end = () => {
    const start = words.findIndex((word) => !/^\w+=/.test(word));
    const own = words[start] === 'kubectl' ? start + 1 : start;
    if (/^(\.\/bin\/)?holdfast$/.test(words[own] ?? '')) calls.push(words.slice(own + 1));
    words = [];
  };
  for (const [token] of line.matchAll(
    /(?:'[^']*'|"[^"]*"|\\.|\$\([^)]*\)|[^\s'"\\|&;<>()#])+|[|&;()]+|[<>]+\s*(?:'[^']*'|"[^"]*"|\S+)|\s#.*$/g,
  )) {
    if (/^[|&;()]/.test(token)) end();
    else if (!/^([<>]|\s#)/.test(token)) words.push(token.replaceAll(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3'));
  }
  end();
  return calls;
}

async function documents(): Promise<string[]> {
  const guides = (await readdir(join(ROOT, 'docs/guides'))).map((name) => join('docs/guides', name));
  return [...guides.filter((name) => name.endsWith('.md')), 'README.md', 'CONTRIBUTING.md'];
}

/** Lines of shell blocks, those that go on joined, and what is in backticks and begins with the command. */
function printedIn(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
    block.replaceAll(/\\\n\s*/g, ' ').split('\n'),
  );
  const prose = markdown.replaceAll(/```.*?```/gs, '');
  const inline = [...prose.matchAll(/`((?:\w+=\S+ )*(?:\.\/bin\/|kubectl )?holdfast [a-z][^`]*)`/g)].map(
    ([, one = '']) => one,
  );
  return [...blocks, ...inline].map((line) => line.replaceAll(/\s+/g, ' '));
}

const parses = async (lines: readonly string[]) => {
  const refused: string[] = [];
  let calls = 0;
  for (const words of lines.flatMap(callsIn)) {
    calls += 1;
    // A command alone is a name, such as that of a row of a table; what a reader fills in need not be a choice.
    if (words.length <= 1 || words.some((word) => /…|\.\.\.$/.test(word) && !word.includes('://'))) continue;
    await parse(words).catch((error: Error & { exitCode?: number }) => {
      // A help is printed.
      if (error.exitCode !== 0) refused.push(`holdfast ${words.join(' ')}: ${error.message}`);
    });
  }
  expect(refused).toEqual([]);
  return calls;
};

describe('each command that is printed parses', () => {
  test('in the guides', async () => {
    let calls = 0;
    for (const file of await documents()) calls += await parses(printedIn(await readFile(join(ROOT, file), 'utf8')));
    expect(calls).toBeGreaterThan(60);
  });

  test('in the help of each command', async () => {
    const holdfast = commands(silent(), () => {});
    let calls = 0;
    for (const command of [holdfast, ...leaves(holdfast)]) {
      const io = silent();
      command.configureOutput({ writeOut: (text) => io.stdout.write(text) });
      command.outputHelp();
      const [, examples = ''] = io.text().split('Examples:\n');
      // The list of examples has what each does behind it.
      const lines = examples.split('\n').map((line) => line.trim().replace(/ {3,}.*$/, ''));
      calls += await parses(lines);
    }
    expect(calls).toBeGreaterThan(30);
  });

  test('in what is said of errors', async () => {
    const texts = Object.values(ERROR_CODES).map(({ remedy }) => remedy);
    expect(await parses(texts.flatMap(printedIn))).toBeGreaterThan(3);
  });

  test('and what does not is found', async () => {
    await expect(parses(['FOO=1 holdfast run program.yaml --sauce a=b | jq .'])).rejects.toThrow(/unknown option/);
    expect(callsIn(`A=b ./bin/holdfast run 'my file' && holdfast explain x -- -1 > "out put" # why`)).toEqual([
      ['run', 'my file'],
      ['explain', 'x', '--', '-1'],
    ]);
  });
});

describe('a command is printed as this person calls it', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast called-'));
    await mkdir(join(folder, 'clone/bin'), { recursive: true });
    await mkdir(join(folder, 'path'));
    await writeFile(join(folder, 'clone/bin/holdfast'), '');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const as = (called: string | undefined, path: string) =>
    calledAs({ environment: { PATH: path, ...(called === undefined ? {} : { HOLDFAST_CALLED_AS: called }) } });

  test('by its path, as a shell takes it, where the PATH leads to none or to another', async () => {
    const called = join(folder, 'clone/bin/holdfast');
    expect(as('./bin/holdfast', '/nowhere')).toBe('./bin/holdfast');
    expect(as(called, '')).toBe(`'${called}'`);
    await writeFile(join(folder, 'path/holdfast'), 'another');
    expect(as(called, join(folder, 'path'))).toBe(`'${called}'`);
  });

  test('by its name where the PATH leads to it, by whatever links', async () => {
    await symlink(join(folder, 'clone/bin/holdfast'), join(folder, 'path/holdfast'));
    expect(as(join(folder, 'clone/bin/holdfast'), `/nowhere:${join(folder, 'path')}`)).toBe('holdfast');
    expect(as(join(folder, 'path/holdfast'), join(folder, 'path'))).toBe('holdfast');
    expect(as(undefined, '/nowhere')).toBe('holdfast');
  });

  test('in help and in errors, and no other word of them is touched', () => {
    const io = { environment: { HOLDFAST_CALLED_AS: './bin/holdfast', PATH: '' } };
    expect(
      withCommandAsCalled('Usage: holdfast run [options]\n  A=b holdfast run x\nholdfast.dev/v1, a holdfast-key', io),
    ).toBe('Usage: ./bin/holdfast run [options]\n  A=b ./bin/holdfast run x\nholdfast.dev/v1, a holdfast-key');
  });
});

/** Helps, which are printed as called as a whole; comments of a manifest; names of connections; a page. */
const NO_MESSAGES = [
  'cli/main.ts',
  'cli/verbs.ts',
  'cli/commands/init.ts',
  'cli/commands/serve.ts',
  'cli/init/manifest.ts',
  'cli/init/program.ts',
];

test('no message names a command without the backticks by which it is printed as called', async () => {
  const names = commands(silent(), () => {}).commands.map((command) => command.name());
  const bare = new RegExp(`(?<!\`)\\bholdfast (?:${names.join('|')})\\b`);
  const found: string[] = [];
  let looked = 0;
  for (const folder of ['cli', 'jobs', 'crds']) {
    for (const name of await readdir(join(ROOT, folder), { recursive: true })) {
      const file = join(folder, name);
      if (!file.endsWith('.ts') || file.endsWith('.test.ts') || NO_MESSAGES.includes(file)) continue;
      looked++;
      const lines = (await readFile(join(ROOT, file), 'utf8')).split('\n');
      found.push(
        ...lines
          .filter((line) => !/^\s*(?:\/\/|\/?\*)/.test(line) && bare.test(line))
          .map((line) => `${file}: ${line.trim()}`),
      );
    }
  }
  expect(looked).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
