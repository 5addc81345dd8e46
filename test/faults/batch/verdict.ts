import type { Seen } from './seen.ts';
import type { RunEnd } from './shop.ts';

/** What a calm run makes, from which every disturbed one is told. */
export interface Expected {
  /** What readers had before. */
  readonly old: Seen;
  /** What they have after a run that nobody disturbed. */
  readonly new: Seen;
}

const LAST_WORD = /^(HF_[A-Z_]+): .+/;
/** What the loss of a database, or of ourselves, may end a run with. */
const CODES = new Set(['HF_DATABASE_UNREACHABLE', 'HF_DATABASE_FAILED', 'HF_INTERRUPTED']);

/** What is wrong with what readers saw while the run was disturbed. */
export function wronglySeen(seen: readonly Seen[], expected: Expected): string[] {
  return seen
    .filter(({ digest }) => digest !== expected.old.digest && digest !== expected.new.digest)
    .map(
      ({ rows, digest }) =>
        `a reader saw a batch of ${rows} rows (${digest}) that is neither the old one nor the new one`,
    );
}

/** What is wrong with how the disturbed run ended. */
export function wronglyEnded(end: RunEnd, killed: boolean, after: Seen, expected: Expected): string[] {
  if (end.hung) return ['the run did not end'];
  if (killed) return end.status === undefined ? [] : [`the killed run ended with ${end.status}`];
  if (end.status === 0)
    return after.digest === expected.new.digest ? [] : ['the run reported success without its batch'];
  const last = end.stderr.trimEnd().split('\n').at(-1) ?? '';
  const code = LAST_WORD.exec(last)?.[1];
  const wrong: string[] = [];
  if (end.status === undefined) wrong.push('the run was ended by a signal');
  if (code === undefined || !CODES.has(code)) wrong.push(`the last line is no clear error: ${JSON.stringify(last)}`);
  if (errorOf(end.stdout) !== code)
    wrong.push(`stdout does not have the error: ${JSON.stringify(end.stdout.slice(0, 300))}`);
  return wrong;
}

function errorOf(stdout: string): string | undefined {
  try {
    return (JSON.parse(stdout) as { error?: { code?: string } }).error?.code;
  } catch {
    return undefined;
  }
}

/** What is wrong with the run after it. */
export function wronglyRepeated(end: RunEnd, after: Seen, expected: Expected): string[] {
  return [
    ...(end.status === 0 ? [] : [`the next run ended with ${end.status}: ${end.stderr.slice(-500)}`]),
    ...(after.digest === expected.new.digest
      ? []
      : [
          `the next run left a batch of ${after.rows} rows (${after.digest}), not of ${expected.new.rows} (${expected.new.digest})`,
        ]),
  ];
}
