import { kinds } from '../../crds/kinds.ts';
import { metadataSchema } from '../../crds/metadata.ts';
import type { StructuralSchema } from '../../crds/structural.ts';

/** A place in a manifest that takes text: field names, and positions in lists. */
export interface StringLeaf {
  readonly path: readonly (string | number)[];
  /** Whether the last step is the name of an entry rather than its value. */
  readonly isKey: boolean;
}

/** Every text of a kind, read off its schema: a field that is added is found by itself. */
export function stringLeaves(kind: string): StringLeaf[] {
  const found = kinds().find((one) => one.kind === kind);
  if (found === undefined) throw new Error(`there is no kind ${kind}`);
  return [...leavesOf(metadataSchema(), ['metadata']), ...leavesOf(found.spec, ['spec'])];
}

function leavesOf(schema: StructuralSchema, path: readonly (string | number)[]): StringLeaf[] {
  const { type, properties, items, additionalProperties } = schema;
  if (type === 'string') return [{ path, isKey: false }];
  return [
    ...Object.entries(properties ?? {}).flatMap(([field, child]) => leavesOf(child, [...path, field])),
    ...(items === undefined ? [] : leavesOf(items, [...path, 0])),
    ...(additionalProperties === undefined
      ? []
      : [{ path: [...path, 'key'], isKey: true }, ...leavesOf(additionalProperties, [...path, 'key'])]),
  ];
}

/** Puts a text at a leaf, making what is missing on the way. */
export function putAt(root: object, { path, isKey }: StringLeaf, text: string): void {
  let parent = root as Record<string | number, unknown>;
  for (const [index, step] of path.slice(0, -1).entries()) {
    const isList = typeof path[index + 1] === 'number';
    parent[step] ??= isList ? [] : {};
    parent = parent[step] as Record<string | number, unknown>;
  }
  const last = path.at(-1) ?? '';
  if (isKey) parent[text] = 'value';
  else parent[last] = text;
}
