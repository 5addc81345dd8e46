import { parseAllDocuments, stringify } from 'yaml';
import { type Random, seeded, seedOf } from '../faults/random.ts';
import type { Seedling } from './corpus.ts';
import { mutateSchedule } from './mutate-schedule.ts';
import { mutateText } from './mutate-text.ts';
import { mutateTree } from './mutate-tree.ts';

/** A manifest that was good once. */
export interface Mutant {
  /** Such as `1/42`: the seed, and which of its mutants it is. */
  readonly name: string;
  readonly from: string;
  readonly bytes: Uint8Array;
}

const MOST_CHANGES = 4;
/** Far more than is read; a text that went on growing would end the mutator itself. */
const MOST_CHARACTERS = 8 * 1024 * 1024;
const SHARE_OF_SCHEDULES = 0.3;

/** The n-th mutant of a seed: the same every time. */
export function mutantOf(seedlings: readonly Seedling[], seed: number, number: number): Mutant {
  const random = seeded(seedOf(seed, `mutant ${number}`));
  const { name, text } = random.pick(seedlings);
  let mutated = random.next() < 0.6 ? throughTree(text, random) : text;
  const changes = mutated === text ? random.between(1, MOST_CHANGES) : random.pick([0, 0, 0, 1, 2]);
  for (let change = 0; change < changes && mutated.length < MOST_CHARACTERS; change += 1)
    mutated = mutateText(mutated, random);
  // From numbers of its own, so that a seed goes on to mean the same other changes.
  const ofSchedules = seeded(seedOf(seed, `schedule ${number}`));
  if (ofSchedules.next() < SHARE_OF_SCHEDULES) {
    // Where all else is well, schedules are read to their meaning.
    mutated = mutateSchedule(ofSchedules.next() < 0.7 ? text : mutated, ofSchedules);
  }
  return { name: `${seed}/${number}`, from: name, bytes: encode(mutated, random) };
}

/** Parses, changes what was meant, and writes it again as YAML or JSON. */
function throughTree(text: string, random: Random): string {
  const documents = parseAllDocuments(text)
    .map((document) => document.toJS() as unknown)
    .filter((document) => document !== null);
  for (const document of documents) {
    for (let changes = random.between(1, MOST_CHANGES); changes > 0; changes -= 1) {
      mutateTree(document as Record<string, unknown>, random);
    }
  }
  // Copies of copies of copies, which no manifest has room for.
  if (!isWritable(documents)) return text;
  const asJson = random.next() < 0.4;
  return documents
    .map((document) => (asJson ? JSON.stringify(document, undefined, 2) : asYaml(document)))
    .join('\n---\n');
}

const MOST_VALUES = 200_000;

function isWritable(tree: unknown): boolean {
  const waiting = [tree];
  let values = 0;
  for (let value = waiting.pop(); waiting.length > 0 || value !== undefined; value = waiting.pop()) {
    values += 1;
    if (values > MOST_VALUES) return false;
    if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) waiting.push(inner);
  }
  return true;
}

function asYaml(document: unknown): string {
  try {
    return stringify(document, { aliasDuplicateObjects: true });
  } catch {
    // The writer's own limits are not what is tried here.
    return JSON.stringify(document);
  }
}

function encode(text: string, random: Random): Uint8Array {
  const utf8 = Buffer.from(text, 'utf8');
  if (random.next() < 0.9) return utf8;
  const place = random.between(0, utf8.length);
  return random.pick<() => Uint8Array>([
    () => Buffer.from(text, 'utf16le'),
    () => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
    () => Buffer.from(text, 'utf16le').swap16(),
    () => Buffer.from(text, 'latin1'),
    () => utf8.subarray(0, place),
    () => Buffer.concat([utf8.subarray(0, place), Buffer.from([random.between(0x80, 0xff)]), utf8.subarray(place)]),
    () => Buffer.concat([utf8.subarray(0, place), Buffer.from([0xed, 0xa0, 0x80]), utf8.subarray(place)]),
    () => Buffer.concat([utf8.subarray(0, place), Buffer.alloc(random.between(1, 64)), utf8.subarray(place)]),
  ])();
}
