import { createReadStream } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseAllDocuments,
  type Tags,
  type YAMLMap,
} from 'yaml';
import { HoldfastError } from '../base/errors.ts';
import { printable, shortened } from '../base/text/printable.ts';
import { lastingReason } from '../base/unread-file.ts';
import type { FieldPath } from './fault.ts';
import { illFormed, keyName, overgrown } from './well-formed.ts';

/** Largest manifest that is read, in bytes: etcd takes no object that is much larger. */
const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Aliases may repeat this much and no more, so that a page of YAML cannot grow into gigabytes. */
const MAX_ALIASES = 100;

/** Longest reason of the parser that is told, in characters: it may quote what it stumbled over. */
const LONGEST_REASON = 300;

interface ManifestPosition {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** HF_MANIFEST_UNREADABLE of a text that was read as far as a place in it. */
export class UnreadableManifest extends HoldfastError {
  readonly position: ManifestPosition;

  constructor(position: ManifestPosition, message: string, options?: { cause?: unknown }) {
    super('HF_MANIFEST_UNREADABLE', message, options);
    this.position = position;
  }
}

/** One object of a manifest file, not yet checked. */
export interface ManifestDocument {
  readonly file: string;
  readonly value: unknown;
  /** Where a field stands; for one that is not there, its nearest ancestor. */
  position(path: FieldPath): ManifestPosition;
  /** A scalar as it is written, without quotes; undefined when it is no scalar or not there. */
  source(path: FieldPath): string | undefined;
}

/**
 * Reads a manifest file; `-` is standard input.
 * @throws HF_MANIFEST_UNREADABLE, HF_INTERRUPTED
 */
export async function loadManifestFile(
  file: string,
  { stdin = process.stdin, signal }: { readonly stdin?: NodeJS.ReadableStream; readonly signal?: AbortSignal } = {},
): Promise<ManifestDocument[]> {
  const name = file === '-' ? 'stdin' : file;
  let bytes: Uint8Array;
  try {
    bytes = await bounded(file === '-' ? stdin : createReadStream(file), name, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof HoldfastError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const lasting = lastingReason(cause);
    const reason =
      code === 'ENOENT' ? 'there is no such file' : lasting === undefined ? (code ?? String(cause)) : `it ${lasting}`;
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `${name}: cannot be read: ${reason}`, { cause });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `${name}: is not UTF-8 text`, { cause });
  }
  return loadManifests(text, name);
}

/** What a stream holds, unless it is too large: one that never ends is not read to its end. */
async function bounded(
  stream: NodeJS.ReadableStream,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  // Somebody may have typed no end of it yet, and give up.
  if (signal !== undefined) addAbortSignal(signal, stream);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_MANIFEST_BYTES) throw tooLarge(name);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads the objects of a manifest: YAML (or JSON) of one or more documents, understood as kubectl does, so
 * by YAML 1.1, where an unquoted `NO` is false. Documents that are empty are passed over.
 * @throws HF_MANIFEST_UNREADABLE naming file, line and column
 */
export function loadManifests(text: string, file: string): ManifestDocument[] {
  if (Buffer.byteLength(text) > MAX_MANIFEST_BYTES) throw tooLarge(file);
  const lines = new LineCounter();
  const excess = overgrown(text);
  if (excess !== undefined) {
    for (const { index } of text.slice(0, excess.offset).matchAll(/\n/g)) lines.addNewLine(index + 1);
    throw unreadable(file, lines, excess.offset, excess.reason);
  }
  const manifests: ManifestDocument[] = [];
  for (const document of parse(text, file, lines)) {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) {
      const [offset] = problem.pos;
      throw unreadable(file, lines, offset, unquoted(text, offset) ?? problem.message);
    }
    const fault = illFormed(document);
    if (fault !== undefined) throw unreadable(file, lines, fault.offset, fault.reason);
    const value = plainValue(document, file, lines);
    if (value !== null) manifests.push(manifest(document, value, file, lines));
  }
  if (manifests.length === 0)
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}: is empty: there is no object in it`);
  return manifests;
}

function parse(text: string, file: string, lineCounter: LineCounter): Document.Parsed[] {
  try {
    const documents = parseAllDocuments(text, {
      lineCounter,
      prettyErrors: false,
      schema: 'yaml-1.1',
      merge: true,
      // Compares each key with all others: see illFormed.
      uniqueKeys: false,
      customTags: withoutSexagesimals,
    });
    return Array.isArray(documents) ? documents : [];
  } catch (cause) {
    // Brackets nested by the thousand exhaust the parser's stack; this is how far it came.
    const reached = lineCounter.lineStarts.at(-1) ?? 0;
    throw unreadable(file, lineCounter, reached, `cannot be parsed: ${(cause as Error).message}`, cause);
  }
}

const SIGNS: Readonly<Record<string, string>> = {
  '*': 'a star begins an alias',
  '@': '@ begins nothing',
  '`': '` begins nothing',
};
/** Longest part of a line that is looked at for one of them. */
const LONGEST_LINE = 200;

/** Says so where a text in the line should be in quotes, such as a schedule that begins with a star. */
function unquoted(text: string, offset: number): string | undefined {
  const [line = ''] = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset + 1).split('\n');
  const sign = /[:-] +([*@`])[^A-Za-z]/.exec(`${line.slice(0, LONGEST_LINE)} `)?.[1];
  return sign === undefined ? undefined : `put it in quotes: ${SIGNS[sign]} in YAML`;
}

const KNOWN_TAGS = /^tag:yaml\.org,2002:(map|seq|str|null|bool|int|float|merge)$/;

/** kubectl's reader leaves `10:00` and `2026-01-05` as text, and knows no collections but maps and lists. */
function withoutSexagesimals(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag !== 'string' && KNOWN_TAGS.test(tag.tag) && tag.format !== 'TIME');
}

function plainValue(document: Document.Parsed, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (cause) {
    throw unreadable(file, lines, document.contents?.range?.[0] ?? 0, (cause as Error).message, cause);
  }
}

function manifest(document: Document.Parsed, value: unknown, file: string, lines: LineCounter): ManifestDocument {
  return {
    file,
    value,
    position: (path) => {
      const { line, col } = lines.linePos(locate(document, path).offset);
      return { line, column: col };
    },
    source: (path) => {
      const { node } = locate(document, path);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

/** Goes down a path as far as it exists; the offset is that of the last key (or list item) that was met. */
function locate(document: Document.Parsed, path: FieldPath): { offset: number; node: unknown } {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = pairsOf(node).get(String(step));
      if (pair === undefined) return { offset, node: undefined };
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[step as number];
      if (item === undefined) return { offset, node: undefined };
      offset = startOf(item) ?? offset;
      node = item;
    } else return { offset, node: undefined };
  }
  return { offset, node };
}

const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();

/** The entries of a map by key: a manifest may have as many faults as it has fields. */
function pairsOf(map: YAMLMap): ReadonlyMap<string, Pair> {
  const known = pairsByMap.get(map);
  if (known !== undefined) return known;
  const pairs = new Map(map.items.map((pair) => [keyName(pair), pair]));
  pairsByMap.set(map, pairs);
  return pairs;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function unreadable(file: string, lines: LineCounter, offset: number, reason: string, cause?: unknown): HoldfastError {
  const { line, col } = lines.linePos(offset);
  const position = { line: Math.max(line, 1), column: Math.max(col, 1) };
  const sentence = `${file}:${position.line}:${position.column}: ${printable(shortened(reason, LONGEST_REASON))}`;
  return new UnreadableManifest(position, sentence, cause === undefined ? {} : { cause });
}

function tooLarge(file: string): HoldfastError {
  return new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}: is larger than ${MAX_MANIFEST_BYTES} bytes`);
}
