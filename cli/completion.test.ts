import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { completionForKubectl, completionScript, SHELLS } from './completion.ts';
import { commands } from './main.ts';

const silent = { write: () => true };
const holdfast = commands(
  {
    stdout: silent,
    stderr: silent,
    environment: {},
    signal: new AbortController().signal,
    now: () => new Date(0),
    elapsed: () => 0,
  },
  () => {},
);

const hasBash = spawnSync('bash', ['-c', 'true']).status === 0;
const inBash = hasBash ? test : test.skip;

/** What bash offers after each line; the last word is the one that is being typed. */
function offered(lines: readonly string[]): string[][] {
  const asked = lines.map((line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _holdfast; echo "\${COMPREPLY[*]}"`;
  });
  const script = `${completionScript(holdfast, 'bash')}\n${asked.join('\n')}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-u', '-c', script], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').filter((word) => word !== ''));
}

inBash('bash offers commands, options and choices as they are defined', () => {
  const [begun, nested, option, choice, shells, value, none, ...others] = offered([
    'holdfast ex',
    'holdfast models ',
    'holdfast run program.yaml --dry',
    'holdfast run --output ',
    'holdfast completion ',
    'holdfast run --now ',
    'holdfast run pro',
    // Where a file is asked for, nothing of ours, so that the shell offers files.
    'holdfast run ',
    // Words of bash, and of zsh and those who took = out of COMP_WORDBREAKS.
    'holdfast run --output =',
    'holdfast run --output = j',
    'holdfast run --output=j',
    'holdfast run --now=',
    'holdfast run program.yaml --output=',
  ]);
  expect(begun).toEqual(['explain']);
  expect(nested).toEqual(expect.arrayContaining(['check']));
  expect([option, choice, value, none]).toEqual([['--dry-run'], ['text', 'json'], [], []]);
  expect(shells).toEqual(expect.arrayContaining([...SHELLS]));
  expect(others).toEqual([[], ['text', 'json'], ['json'], ['--output=json'], [], ['--output=text', '--output=json']]);
});

inBash('every command and every option of each is offered', () => {
  const all: { line: string; words: string[] }[] = [];
  const walk = (command: Command, line: string) => {
    const long = command.options.filter(({ hidden }) => !hidden).flatMap((option) => option.long ?? []);
    all.push(
      { line: `${line} `, words: command.commands.map((one) => one.name()) },
      { line: `${line} -`, words: long },
    );
    for (const one of command.commands) walk(one, `${line} ${one.name()}`);
  };
  walk(holdfast, 'holdfast');
  const lines = offered(all.map(({ line }) => line));
  expect(
    all.flatMap(({ line, words }, index) =>
      words.filter((word) => !lines[index]?.includes(word)).map((word) => line + word),
    ),
  ).toEqual([]);
});

test('the scripts of the others name every command and option', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(holdfast, shell);
    for (const command of holdfast.commands) expect(script).toContain(command.name());
    for (const word of ['dry-run', 'keep-later', 'text json']) expect(script).toContain(word);
  }
});

test.each([
  ['', 'trigger'],
  ['tri', 'trigger :4'],
  ['trigger keep --pip', '--pipeline :4'],
  ['trigger keep --pipeline ', 'batch prune :4'],
  ['status --output=', ':0'],
  ['models ', 'check help :4'],
  ['trigger --slot ', ':0'],
  ['run ', ':0'],
])('kubectl is told what may follow "%s"', (line, expected) => {
  const told = completionForKubectl(holdfast, line.split(' ')).trim().split('\n');
  if (line === '') expect(told).toContain(expected);
  else expect(told.join(' ')).toBe(expected);
});
