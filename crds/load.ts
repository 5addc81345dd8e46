import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Tags,
  visit,
} from 'yaml';
import { HoldfastError } from '../jobs/errors.ts';
import type { FieldPath } from './fault.ts';

/** Largest manifest that is read, in bytes: etcd takes no object that is much larger. */
const MAX_MANIFEST_BYTES = 1024 * 1024;

/** Aliases may repeat this much and no more, so that a page of YAML cannot grow into gigabytes. */
const MAX_ALIASES = 100;

interface ManifestPosition {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
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
 * @throws HF_MANIFEST_UNREADABLE
 */
export async function loadManifestFile(
  file: string,
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<ManifestDocument[]> {
  const name = file === '-' ? 'stdin' : file;
  let bytes: Uint8Array;
  try {
    if (file !== '-' && (await stat(file)).size > MAX_MANIFEST_BYTES) throw tooLarge(name);
    bytes = file === '-' ? await buffer(stdin) : await readFile(file);
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (code ?? String(cause));
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

/**
 * Reads the objects of a manifest: YAML (or JSON) of one or more documents, understood as kubectl does, so
 * by YAML 1.1, where an unquoted `NO` is false. Documents that are empty are passed over.
 * @throws HF_MANIFEST_UNREADABLE naming file, line and column
 */
export function loadManifests(text: string, file: string): ManifestDocument[] {
  if (Buffer.byteLength(text) > MAX_MANIFEST_BYTES) throw tooLarge(file);
  const lines = new LineCounter();
  const manifests: ManifestDocument[] = [];
  for (const document of parse(text, file, lines)) {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw unreadable(file, lines, problem.pos[0], problem.message);
    refuseProto(document, file, lines);
    const value = plainValue(document, file);
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
      customTags: withoutSexagesimals,
    });
    return Array.isArray(documents) ? documents : [];
  } catch (cause) {
    // Brackets nested by the thousand exhaust the parser's stack.
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}: cannot be parsed: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const KNOWN_TAGS = /^tag:yaml\.org,2002:(map|seq|str|null|bool|int|float|merge)$/;

/** kubectl's reader leaves `10:00` and `2026-01-05` as text, and knows no collections but maps and lists. */
function withoutSexagesimals(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag !== 'string' && KNOWN_TAGS.test(tag.tag) && tag.format !== 'TIME');
}

function refuseProto(document: Document.Parsed, file: string, lines: LineCounter): void {
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return;
      throw unreadable(file, lines, key.range?.[0] ?? 0, '__proto__ is not a field');
    },
  });
}

function plainValue(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
  } catch (cause) {
    throw new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}: ${(cause as Error).message}`, { cause });
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
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
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

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function unreadable(file: string, lines: LineCounter, offset: number, reason: string): HoldfastError {
  const { line, col } = lines.linePos(offset);
  return new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}:${line}:${col}: ${reason}`);
}

function tooLarge(file: string): HoldfastError {
  return new HoldfastError('HF_MANIFEST_UNREADABLE', `${file}: is larger than ${MAX_MANIFEST_BYTES} bytes`);
}
