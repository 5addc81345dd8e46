import { readFileSync, writeFileSync } from 'node:fs';
import { ERROR_CODES } from '../jobs/errors.ts';

/** Writes docs/errors.md from the source; with `--check` it only says whether the committed file is up to date. */
const FILE = new URL('errors.md', import.meta.url);

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { kind, meaning, remedy }]) => `| \`${code}\` | ${kind} | ${meaning} | ${remedy} |`,
  );
  return [
    '<!-- DO NOT EDIT: generated from jobs/errors.ts by `make generate`. -->',
    '# Error codes',
    '',
    'Every failure has one of these codes. A *terminal* one ends a command or a stage with exit status 78, since trying',
    'again cannot help; *retry* and *not-yet* end it with 1. A code never changes its meaning and is never reused.',
    '',
    '| code | kind | what it means | what to do |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const page = errorsPage();
if (process.argv.includes('--check')) {
  if (readFileSync(FILE, 'utf8') !== page) {
    console.error('docs/errors.md is out of date: run `make generate`');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, page);
}
