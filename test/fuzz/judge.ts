import { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '../../base/errors.ts';
import { parseSchedule, type Schedule } from '../../base/schedules/index.ts';
import { faultLine } from '../../cli/terminal/fault-list.ts';
import {
  type Fault,
  loadManifestFile,
  loadManifests,
  type ManifestDocument,
  type RetentionProgram,
  type RetentionRun,
  validateManifest,
} from '../../crds/index.ts';
import { neededColumns } from '../../jobs/batch/needed-columns.ts';

export interface Verdict {
  /** What came of the bytes. */
  readonly outcome: 'accepted' | 'refused' | 'unreadable';
  /** What must never be; empty when all is well. */
  readonly wrong: readonly string[];
}

/** Faults of the file as a whole, which has no line to name. */
const WHOLE_FILE = /^stdin: (is not UTF-8 text|is empty|is larger than)/;
const WITH_LINE = /^stdin:[1-9]\d*:[1-9]\d*: ./;

/** A sentence that a person reads to its end. */
const LONGEST_SENTENCE = 1000;
/** What a terminal would act on rather than show: C0, DEL, C1, and what turns the direction of text. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
/** Slots of a schedule that are looked at. */
const MOST_SLOTS = 20;
/** CPU time of one manifest, in seconds: far from what a person would wait. */
const LONGEST_SECONDS = 2;
/** Times that one is judged before it is called slow: a manifest is slow each time, a busy machine or cold code is not. */
const TRIES = 3;

/** Reads and checks bytes as `holdfast validate` does, and says what about that was not as promised. */
export async function judge(bytes: Uint8Array): Promise<Verdict> {
  const prototypes = fingerprint();
  let { verdict, seconds } = await timed(bytes);
  for (let tries = 1; tries < TRIES && seconds > LONGEST_SECONDS; tries += 1) {
    ({ verdict, seconds } = await timed(bytes));
  }
  const wrong = [...verdict.wrong];
  if (seconds > LONGEST_SECONDS) wrong.push(`took ${seconds.toFixed(1)} s`);
  if (fingerprint() !== prototypes) wrong.push('a prototype was changed');
  return { ...verdict, wrong };
}

/** With the CPU time of this thread: not that of others, which compile or collect garbage while this one waits. */
async function timed(bytes: Uint8Array): Promise<{ readonly verdict: Verdict; readonly seconds: number }> {
  const before = process.threadCpuUsage();
  const verdict = await outcomeOf(bytes);
  const { user, system } = process.threadCpuUsage(before);
  return { verdict, seconds: (user + system) / 1e6 };
}

async function outcomeOf(bytes: Uint8Array): Promise<Verdict> {
  let documents: ManifestDocument[];
  try {
    documents = await loadManifestFile('-', { stdin: Readable.from([Buffer.from(bytes)]) });
  } catch (error) {
    return { outcome: 'unreadable', wrong: unreadableFaults(error) };
  }
  const wrong: string[] = [];
  let refused = false;
  for (const document of documents) {
    try {
      const { faults, warnings, resolved } = validateManifest(document);
      refused ||= faults.length > 0;
      wrong.push(...[...faults, ...warnings].flatMap((fault) => faultFaults(fault)));
      if (faults.length === 0 && resolved === undefined) wrong.push('neither refused nor resolved');
      if (resolved !== undefined) wrong.push(...resolvedFaults(resolved));
    } catch (error) {
      wrong.push(`validation crashed: ${crash(error)}`);
    }
  }
  return { outcome: refused ? 'refused' : 'accepted', wrong };
}

function unreadableFaults(error: unknown): string[] {
  if (!(error instanceof HoldfastError) || error.code !== 'HF_MANIFEST_UNREADABLE')
    return [`reading crashed: ${crash(error)}`];
  const { message } = error;
  return [
    ...(WITH_LINE.test(message) || WHOLE_FILE.test(message) ? [] : [`names no line: ${JSON.stringify(message)}`]),
    ...sentenceFaults(message),
  ];
}

function faultFaults(fault: Fault): string[] {
  const { line, column, field, reason } = fault;
  return [
    ...(line >= 1 && column >= 1 ? [] : [`${field} stands nowhere: ${line}:${column}`]),
    ...(field === '' || reason === '' ? [`a fault without a field or a reason: ${JSON.stringify(fault)}`] : []),
    ...sentenceFaults(faultLine(fault)),
  ];
}

function sentenceFaults(sentence: string): string[] {
  return [
    ...(UNPRINTABLE.test(sentence) ? [`not fit for a terminal: ${JSON.stringify(sentence.slice(0, 300))}`] : []),
    ...(sentence.length > LONGEST_SENTENCE
      ? [`a sentence of ${sentence.length} characters: ${JSON.stringify(sentence.slice(0, 120))}`]
      : []),
  ];
}

/** What is accepted can be written down and means the same when it is read again; what a run does first works. */
function resolvedFaults(resolved: RetentionProgram | RetentionRun): string[] {
  try {
    const [again] = loadManifests(JSON.stringify(resolved), 'again.yaml').map((document) => validateManifest(document));
    if (!isDeepStrictEqual(again?.resolved, resolved)) return ['reads otherwise once written'];
    if (resolved.kind === 'RetentionProgram') {
      neededColumns(resolved.spec);
      return scheduleFaults(parseSchedule(resolved.spec.batchSchedule, resolved.spec.timeZone));
    }
    return [];
  } catch (error) {
    return [`accepted, but ${crash(error)}`];
  }
}

/** What a schedule owes to whoever follows it, shortly before clocks change in autumn. */
function scheduleFaults(schedule: Schedule): string[] {
  const now = new Date('2026-10-24T23:30:00Z');
  const newest = schedule.newest(now);
  const next = schedule.next(now);
  const coming = schedule.between(now, new Date('2026-10-26T00:00:00Z'), MOST_SLOTS);
  return [
    ...(newest === undefined && next === undefined ? ['never fires'] : []),
    ...(newest !== undefined && newest > now ? ['its newest slot is yet to come'] : []),
    ...(next !== undefined && next <= now ? ['its next slot has passed'] : []),
    ...(coming.length > 0 && Number(coming[0]) !== Number(next) ? ['leaves out its next slot'] : []),
    ...(coming.some((slot, index) => slot <= (coming[index - 1] ?? now)) ? ['goes back'] : []),
  ];
}

function crash(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' | ') : String(error);
}

function fingerprint(): string {
  return [Object, Array, Function, String, Number, Map]
    .map(({ prototype }) => Reflect.ownKeys(prototype).map(String).join())
    .join(';');
}
