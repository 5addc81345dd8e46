import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { completionScript, type FindNames, SHELLS, wordsToFollow } from './completion.ts';
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

const STAGES = ['extract', 'filter', 'score', 'offer', 'store'];

const hasBash = spawnSync('bash', ['-c', 'true']).status === 0;
const inBash = hasBash ? test : test.skip;

/** What bash offers after each line; the last word is the one that is being typed. */
function offered(lines: readonly string[], before = ''): string[][] {
  const asked = lines.map((line) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    return `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; COMPREPLY=(); _holdfast; echo "\${COMPREPLY[*]}"`;
  });
  const script = `${before}\n${completionScript(holdfast, 'bash')}\n${asked.join('\n')}`;
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
    'holdfast retry keep-1 --from-stage ',
    'holdfast retry keep-1 --from-stage s',
  ]);
  expect(begun).toEqual(['explain']);
  expect(nested).toEqual(expect.arrayContaining(['check']));
  expect([option, choice, value, none]).toEqual([['--dry-run'], ['text', 'json'], [], []]);
  expect(shells).toEqual(expect.arrayContaining([...SHELLS]));
  expect(others).toEqual([
    [],
    ['text', 'json'],
    ['json'],
    ['--output=json'],
    [],
    ['--output=text', '--output=json'],
    [...STAGES, 'prune'],
    ['score', 'store'],
  ]);
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

const hasZsh = spawnSync('zsh', ['-c', 'true']).status === 0;

(hasZsh ? test : test.skip)('zsh asks for names as well, of whatever form the option has', () => {
  const script = `
    holdfast() { print -r -- "\${(j:_:)@}"; print ':4' }
    autoload() { : }; bashcompinit() { : }; complete() { : }
    compgen() { print -r -- "$4" }
    ${completionScript(holdfast, 'zsh')}
    asked() { emulate -L zsh; setopt ksharrays; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _holdfast; print -r -- "$COMPREPLY" }
    asked holdfast trigger -n shop k
    asked holdfast status --run=k`;
  const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', script], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['__complete_trigger_-n_shop_k\n__complete_status_--run_k\n', '']);
});

test('the scripts of the others name every command and option', () => {
  for (const shell of ['zsh', 'fish'] as const) {
    const script = completionScript(holdfast, shell);
    for (const command of holdfast.commands) expect(script).toContain(command.name());
    for (const word of ['dry-run', 'keep-later', 'text json']) expect(script).toContain(word);
  }
});

inBash('names of a cluster are asked of the program where one stands, and nowhere else', () => {
  // In its place one that says with what it was asked.
  const told = `holdfast() { IFS=_; echo "$*" | tr ' ' _; echo ':4'; }`;
  const asked = offered(
    [
      'holdfast trigger ',
      'holdfast cancel -n shop ',
      'holdfast trigger keep --namespace ',
      'holdfast status --context ',
      'holdfast status --run ',
      'holdfast trigger --pipeline ',
      'holdfast explain ',
      'holdfast runs --namespace ',
    ],
    told,
  );
  expect(asked).toEqual([
    ['__complete_trigger_'],
    ['__complete_cancel_-n_shop_'],
    ['__complete_trigger_keep_--namespace_'],
    ['__complete_status_--context_'],
    ['__complete_status_--run_'],
    ['batch', 'prune'],
    [],
    [],
  ]);
});

/** Says what was asked for, and after which words. */
const names: FindNames = async (of, before) => [`${of}:${before.join('/')}`];

test.each([
  ['', 'trigger'],
  ['tri', 'trigger :4'],
  ['trigger keep --pip', '--pipeline :4'],
  ['trigger keep --pipeline ', 'batch prune :4'],
  ['status --output=', ':0'],
  ['models ', 'check help :4'],
  ['trigger --slot ', ':0'],
  ['run ', ':0'],
  ['trigger ', 'program:trigger :4'],
  ['trigger keep ', ':0'],
  ['trigger --dry-run -n shop ', 'program:trigger/--dry-run/-n/shop :4'],
  ['retry run', 'run:retry :4'],
  ['status --run ', 'run:status/--run :4'],
  ['cancel run-1 -n ', 'namespace:cancel/run-1/-n :4'],
  ['cancel run-1 --namespace = na', 'namespace:cancel/run-1/--namespace :4'],
  ['backfill --context ', 'context:backfill/--context :4'],
  // Of no cluster.
  ['explain ', ':0'],
  ['runs --namespace ', ':0'],
])('kubectl is told what may follow "%s"', async (line, expected) => {
  const told = (await wordsToFollow(holdfast, line.split(' '), names)).trim().split('\n');
  if (line === '') expect(told).toContain(expected);
  else expect(told.join(' ')).toBe(expected);
});

test('of names that a kubeconfig or a cluster has, those are offered that no shell runs, splits or expands', async () => {
  const plain = [
    'kind-dev',
    'me@prod',
    'arn:aws:eks:eu-west-1:1:cluster/a',
    'gke_shop_europe-west1_b',
    'ns/host:6443/me',
  ];
  const others = [
    '$(touch pwned)',
    '`touch pwned`',
    'two words',
    '*',
    '~root',
    '{a,b}',
    '=ls',
    '-x',
    "it's",
    'a\\nb',
    'a\nb',
    '',
  ];
  const told = await wordsToFollow(holdfast, ['status', '--context', ''], async () => [...others, ...plain]);
  expect(told.split('\n')).toEqual([...plain, ':4', '']);
});
