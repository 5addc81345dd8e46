import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { forShell, pathForShell, printable } from './printable.ts';

test.each([
  ['a plain path', './state/2026-11', './state/2026-11'],
  ['blanks and what ends a command', 'my data & more; rm x', "'my data & more; rm x'"],
  ['quotes', `it's "so"`, String.raw`'it'\''s "so"'`],
  ['what a shell would expand', '$HOME `id` *', "'$HOME `id` *'"],
  ['nothing', '', "''"],
  ['what zsh would take for a command', '=ls', "'=ls'"],
  ['a home folder', '~/x', "'~/x'"],
  ['a line break, as one line', "a\nb'c\\", String.raw`$'a\u000ab\'c\\'`],
])('%s is one word of a shell, and is read back', (_name, word, written) => {
  expect(forShell(word)).toBe(written);
  expect(printable(forShell(word))).toBe(written);
  const { stdout } = spawnSync('bash', ['-c', `printf '%s' ${written}`], {
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8' },
  });
  expect(stdout).toBe(word);
});

test('a path that begins with a hyphen is no option', () => {
  expect(pathForShell('-rf')).toBe('./-rf');
  expect(pathForShell('/a b')).toBe("'/a b'");
});
