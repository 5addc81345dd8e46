import type { Counts } from './counts.ts';

/** What a task has to say at its end. Advisory: what is true is in the artifact's manifest and in Postgres. */
export interface TaskReport {
  readonly rowsIn?: number;
  readonly rowsOut?: number;
  readonly counts?: Counts;
  /** SHA-256 of the manifest of the artifact that it committed. */
  readonly artifact?: string;
  /** Of what prepares a retry: the stages that need not be done again. */
  readonly reused?: readonly string[];
  readonly error?: { readonly code: string; readonly message: string };
}

/** File of a container that Kubernetes reads its message from. */
export const TERMINATION_LOG = '/dev/termination-log';

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

/** What could be understood of a task's message: it comes from outside. */
export interface ReceivedReport {
  readonly rowsIn?: number;
  readonly rowsOut?: number;
  /** One level: `removed.trust`. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly reused?: readonly string[];
  /** The message is one line. */
  readonly error?: { readonly code: string; readonly message: string };
}

const MOST_COUNTS = 64;
const MOST_STAGES = 16;
const LONGEST_COUNT_NAME = 128;
const LONGEST_LINE = 1024;

/** Reads a container's message; undefined where it is no report of a task. */
export function readTerminationMessage(text: string): ReceivedReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value)) return undefined;
  const rowsIn = count(value['rowsIn']);
  const rowsOut = count(value['rowsOut']);
  const counts = isRecord(value['counts']) ? flat(value['counts']) : undefined;
  const reused = Array.isArray(value['reused']) ? value['reused'].filter(isName).slice(0, MOST_STAGES) : [];
  const error = isRecord(value['error']) ? value['error'] : undefined;
  const code = error?.['code'];
  return {
    ...(rowsIn === undefined ? {} : { rowsIn }),
    ...(rowsOut === undefined ? {} : { rowsOut }),
    ...(counts === undefined || Object.keys(counts).length === 0 ? {} : { counts }),
    ...(reused.length === 0 ? {} : { reused }),
    ...(typeof code === 'string' && /^[A-Z][A-Z_]{0,62}$/.test(code)
      ? { error: { code, message: oneLine(error?.['message']) } }
      : {}),
  };
}

function flat(counts: Readonly<Record<string, unknown>>): Record<string, number> {
  const entries = Object.entries(counts).flatMap(([name, value]) =>
    isRecord(value)
      ? Object.entries(value).map(([inner, number]) => [`${name}.${inner}`, count(number)] as const)
      : [[name, count(value)] as const],
  );
  const known = entries.filter((entry): entry is readonly [string, number] => entry[1] !== undefined);
  return Object.fromEntries(
    known.slice(0, MOST_COUNTS).map(([name, number]) => [name.slice(0, LONGEST_COUNT_NAME), number]),
  );
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** A text as one line of at most 1,024 characters; empty for what is no text. */
export function oneLine(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/\s+/g, ' ').slice(0, LONGEST_LINE) : '';
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][-a-z0-9]{0,62}$/.test(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
