import { CST, type Document, isAlias, isMap, isNode, isScalar, isSeq, Lexer, type Pair, type YAMLMap } from 'yaml';
import { printable, shortened } from '../base/text/printable.ts';

/** No manifest nests so deeply; what is deeper exhausts the stack of whoever reads on. */
const DEEPEST = 100;
/** No manifest holds so many values. */
const MOST_VALUES = 100_000;
/** Of which each takes the parser hundreds of bytes: what it would spend on a megabyte of brackets. */
const MOST_TOKENS = 400_000;
/** Following an alias costs a look at the whole document. */
const MOST_ALIASES = 300;
const LONGEST_KEY = 64;
const TOO_DEEP = `nests deeper than ${DEEPEST} levels`;

/** Something that is YAML and yet no manifest. */
export interface IllFormed {
  readonly reason: string;
  /** Where in the text it begins. */
  readonly offset: number;
}

const OPENING: ReadonlySet<string | null> = new Set(['flow-seq-start', 'flow-map-start']);
const CLOSING: ReadonlySet<string | null> = new Set(['flow-seq-end', 'flow-map-end']);
const NESTING: ReadonlySet<string | null> = new Set(['seq-item-ind', 'explicit-key-ind']);
/** What the lexer says beside the text itself. */
const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);

/** Looks for what would take the parser more memory than any manifest is worth, at the price of cutting it up. */
export function overgrown(text: string): IllFormed | undefined {
  let offset = 0;
  let tokens = 0;
  let brackets = 0;
  let onLine = 0;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    tokens += 1;
    if (OPENING.has(type)) brackets += 1;
    else if (CLOSING.has(type)) brackets -= 1;
    else if (NESTING.has(type)) onLine += 1;
    else if (type === 'newline') onLine = 0;
    else if (type === 'doc-mode') brackets = 0;
    if (tokens > MOST_TOKENS) return { reason: `holds more than ${MOST_VALUES} values`, offset };
    if (Math.max(brackets, onLine) > DEEPEST) return { reason: TOO_DEEP, offset };
    if (!MARKS.has(token)) offset += token.length;
  }
  return undefined;
}

interface Waiting {
  readonly node: unknown;
  readonly depth: number;
  /** Whether it is what `<<` takes: a map, or a list of maps. */
  readonly merged: 'map or list' | 'map' | undefined;
}

/**
 * Looks for what the parser takes and a manifest must not hold, in one walk whose time grows with the text and no
 * faster: the parser's own search for duplicate keys compares each key with every other.
 */
export function illFormed(document: Document.Parsed): IllFormed | undefined {
  const anchors = new Map<string, unknown>();
  const waiting: Waiting[] = [{ node: document.contents, depth: 0, merged: undefined }];
  let aliases = 0;
  let values = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth, merged } = next;
    const offset = startOf(node);
    if (isNode(node) && 'anchor' in node && typeof node.anchor === 'string') anchors.set(node.anchor, node);
    if (isAlias(node)) aliases += 1;
    if (isAlias(node) && holds(anchors.get(node.source), node)) return { reason: 'an alias holds itself', offset };
    values += 1;
    if (aliases > MOST_ALIASES) return { reason: `holds more than ${MOST_ALIASES} aliases`, offset };
    if (values > MOST_VALUES) return { reason: `holds more than ${MOST_VALUES} values`, offset };
    if (depth > DEEPEST) return { reason: TOO_DEEP, offset };
    if (merged !== undefined && !isMergeable(isAlias(node) ? anchors.get(node.source) : node, merged))
      return { reason: '<< takes a map, or a list of maps', offset };
    if (isMap(node)) {
      const fault = faultOfKeys(node);
      if (fault !== undefined) return fault;
      for (const pair of node.items.toReversed())
        waiting.push({ node: pair.value, depth: depth + 1, merged: isMerge(pair) ? 'map or list' : undefined });
    } else if (isSeq(node)) {
      const inner = merged === undefined ? undefined : 'map';
      for (const item of node.items.toReversed()) waiting.push({ node: item, depth: depth + 1, merged: inner });
    }
  }
  return undefined;
}

function faultOfKeys(map: YAMLMap): IllFormed | undefined {
  const seen = new Set<string>();
  for (const pair of map.items) {
    const offset = startOf(pair.key);
    if (pair.key !== null && !isScalar(pair.key))
      return { reason: 'a key must be text, not a list, a map or an alias', offset };
    if (isMerge(pair)) continue;
    const name = keyName(pair);
    if (name === '__proto__') return { reason: '__proto__ is not a field', offset };
    if (seen.has(name)) return { reason: `keys must be unique: ${shown(name)} is there already`, offset };
    seen.add(name);
  }
  return undefined;
}

/** The field that a key stands for once it is read. */
export function keyName({ key }: Pair): string {
  return isScalar<string | number | boolean | symbol | null>(key) && key.value !== null ? String(key.value) : '';
}

function shown(name: string): string {
  return printable(shortened(name, LONGEST_KEY));
}

/** As the parser has it: only what is not quoted merges. */
function isMerge({ key }: Pair): boolean {
  if (!isScalar(key)) return false;
  return typeof key.value === 'symbol' || (key.value === '<<' && key.type === 'PLAIN');
}

/** By their places in the text: an alias within what it stands for has no end. */
function holds(anchored: unknown, alias: unknown): boolean {
  const [begin, , end] = (isNode(anchored) ? anchored.range : undefined) ?? [0, 0, 0];
  return begin <= startOf(alias) && startOf(alias) < end;
}

function isMergeable(source: unknown, what: 'map or list' | 'map'): boolean {
  return isMap(source) || (what === 'map or list' && isSeq(source));
}

function startOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}
