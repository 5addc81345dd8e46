import type { Counts } from './counts.ts';

/** What a task has to say at its end. Advisory: what is true is in the artifact's manifest and in Postgres. */
export interface TaskReport {
  readonly rowsIn?: number;
  readonly rowsOut?: number;
  readonly counts?: Counts;
  /** SHA-256 of the manifest of the artifact that it committed. */
  readonly artifact?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** Kubernetes cuts off what is longer, in bytes, which would not be JSON any more. */
const LONGEST = 4096;
const LONGEST_MESSAGE = 1000;
const LONGEST_MESSAGE_BYTES = 3500;

/** The report as JSON of at most 4096 bytes: what does not fit is left out, nested counts first. */
export function terminationMessage(report: TaskReport): string {
  const { error, counts, ...rest } = report;
  const brief = error && { code: error.code, message: shorten(error.message) };
  const whole = { ...rest, ...(brief && { error: brief }) };
  const tries = [
    { ...whole, ...(counts && { counts }) },
    { ...whole, ...(counts && { counts: topLevel(counts) }) },
    whole,
  ];
  const texts = tries.map((one) => JSON.stringify(one));
  return texts.find((text) => Buffer.byteLength(text) <= LONGEST) ?? '{}';
}

function topLevel(counts: Counts): Counts {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => typeof value === 'number'));
}

/** Cut by characters, and further where they take many bytes: a control character is six in JSON. */
function shorten(text: string): string {
  if (text.length <= LONGEST_MESSAGE && fits(text)) return text;
  let kept = LONGEST_MESSAGE - 1;
  while (!fits(text.slice(0, kept))) kept = Math.floor(kept * 0.8);
  return `${text.slice(0, kept)}…`;
}

function fits(message: string): boolean {
  return Buffer.byteLength(JSON.stringify(message)) <= LONGEST_MESSAGE_BYTES;
}
