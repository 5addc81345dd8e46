import { printable, shortened } from '../base/text/printable.ts';
import { nearest } from '../base/text/spelling.ts';
import { PIPELINES, type Pipelines } from '../contract/pipelines.ts';
import { PROVIDERS, type Providers } from '../providers/registry.ts';
import { type Fault, type FieldPath, type Finding, fieldName, isWithin } from './fault.ts';
import { compileKeywords, type KeywordCheck } from './keywords.ts';
import { API_VERSION, type Kind, kinds } from './kinds.ts';
import type { ManifestDocument } from './load.ts';
import { checkMeaning } from './meaning.ts';
import { metadataSchema } from './metadata.ts';
import type { ObjectMetadata, RetentionProgram, RetentionRun } from './objects.ts';
import { isRecord, prune, type UnknownField } from './prune.ts';
import { checkRules } from './rules.ts';
import { tooLarge } from './spec-size.ts';
import type { StructuralSchema } from './structural.ts';
import { programWarnings } from './warnings.ts';

export type { Fault } from './fault.ts';

export interface Validation {
  /** In the order of the file. With any of these the manifest is refused. */
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** The object with its defaults; absent when there are faults. */
  readonly resolved?: RetentionProgram | RetentionRun;
}

/**
 * Checks one object of a manifest as the API server would, then what only reading it can find.
 * @param circumstances `old`: the object as it is now, when the manifest is to change it; `now`: the instant at which
 *   schedules that are over are warned of; `providers`, `pipelines`: what there is of them
 */
export function validateManifest(
  document: ManifestDocument,
  {
    old,
    now,
    providers = PROVIDERS,
    pipelines = PIPELINES,
  }: {
    old?: RetentionProgram | RetentionRun;
    now?: Date;
    providers?: Providers | undefined;
    pipelines?: Pipelines | undefined;
  } = {},
): Validation {
  const { value } = document;
  if (!isRecord(value))
    return refused(document, [finding([], 'is not an object with apiVersion, kind, metadata and spec')]);
  const all = allKinds(providers, pipelines);
  const kind = all.find((candidate) => candidate.kind.kind === value['kind']);
  if (kind === undefined) return refused(document, [unknownKind(value['kind'], all)]);

  const excess = tooLarge(value['spec']);
  if (excess !== undefined) return refused(document, [excess]);

  const { status, ...manifest } = value;
  const unknown: UnknownField[] = [];
  const object = prune(kind.schema, manifest, [], unknown) as Record<string, unknown>;
  const findings = kind.keywords(object).filter((found) => !isExplained(found, unknown));
  findings.push(...checkRules(kind.schema, object, old, [], { findings, unknown }));
  const admission = [...unknown, ...findings];
  if (admission.length > 0)
    return refused(
      document,
      admission.map((found) => asWritten(found, document)),
    );

  const resolved = { ...object, metadata: named(object['metadata'] as ObjectMetadata) } as unknown as
    | RetentionProgram
    | RetentionRun;
  const warnings = status === undefined ? [] : [finding(['status'], 'is ignored: only the operator writes it')];
  if (resolved.kind === 'RetentionProgram') {
    const meaning = checkMeaning(resolved.spec, pipelines);
    if (meaning.length > 0) return refused(document, meaning);
    warnings.push(...programWarnings(resolved.spec, now, providers, pipelines));
  }
  return { faults: [], warnings: placed(document, warnings), resolved };
}

interface CompiledKind {
  readonly kind: Kind;
  readonly schema: StructuralSchema;
  readonly keywords: KeywordCheck;
}

const compiled = new WeakMap<Providers, WeakMap<Pipelines, readonly CompiledKind[]>>();

/** A schema is compiled once, when an object of its kind is first checked. */
function allKinds(providers: Providers, pipelines: Pipelines): readonly CompiledKind[] {
  const ofProviders = compiled.get(providers) ?? new WeakMap<Pipelines, readonly CompiledKind[]>();
  compiled.set(providers, ofProviders);
  const known = ofProviders.get(pipelines);
  if (known !== undefined) return known;
  const made = kinds(providers, pipelines).map((kind) => {
    const schema = objectSchema(kind);
    let check: KeywordCheck | undefined;
    return { kind, schema, keywords: (value: unknown) => (check ??= compileKeywords(schema))(value) };
  });
  ofProviders.set(pipelines, made);
  return made;
}

function objectSchema(kind: Kind): StructuralSchema {
  return {
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: {
      apiVersion: { type: 'string', enum: [API_VERSION] },
      kind: { type: 'string', enum: [kind.kind] },
      metadata: metadataSchema(),
      spec: kind.spec,
    },
  };
}

function unknownKind(kind: unknown, all: readonly CompiledKind[]): Finding {
  const names = all.map((candidate) => candidate.kind.kind);
  if (kind === undefined) return finding(['kind'], `is required: ${names.join(' or ')}`);
  const meant = typeof kind === 'string' ? nearest(kind, names) : undefined;
  const reason = `is ${JSON.stringify(kind).slice(0, 80)}; the kinds are ${names.join(' and ')}`;
  return { ...finding(['kind'], reason), ...(meant === undefined ? {} : { suggestion: meant }) };
}

/** A required field that is missing because it was misspelt beside it needs no complaint of its own. */
function isExplained(found: Finding, unknown: readonly UnknownField[]): boolean {
  const parent = found.path.slice(0, -1);
  return unknown.some(
    (field) =>
      field.meant === found.path.at(-1) && field.path.length === found.path.length && isWithin(field.path, parent),
  );
}

/** Says so where text was meant and YAML read a word such as NO as false. */
function asWritten(found: Finding, document: ManifestDocument): Finding {
  const source = document.source(found.path);
  if (source === undefined || !/^(y|yes|n|no|on|off)$/i.test(source) || !/^expected (text|one of)/.test(found.reason))
    return found;
  return { ...found, reason: `is read as true or false, since ${source} is not in quotes`, suggestion: `"${source}"` };
}

/** With only a `generateName`, Kubernetes makes up the rest of the name; elsewhere its stem has to do. */
function named(metadata: ObjectMetadata & { generateName?: string }): ObjectMetadata {
  const { generateName, ...rest } = metadata;
  return { ...rest, name: rest.name ?? (generateName ?? '').replace(/-+$/, '') };
}

function finding(path: FieldPath, reason: string): Finding {
  return { path, reason, class: 'admission' };
}

function refused(document: ManifestDocument, findings: readonly Finding[]): Validation {
  return { faults: placed(document, findings), warnings: [] };
}

/** Longest reason and longest suggestion that are told, in characters: both may quote the manifest. */
const LONGEST_REASON = 600;
const LONGEST_SUGGESTION = 200;

function placed(document: ManifestDocument, findings: readonly Finding[]): Fault[] {
  return findings
    .map(({ path, reason, suggestion, ...rest }) => ({
      file: document.file,
      ...document.position(path),
      field: fieldName(path),
      reason: printable(shortened(reason, LONGEST_REASON)),
      ...(suggestion === undefined || suggestion.length > LONGEST_SUGGESTION
        ? {}
        : { suggestion: printable(suggestion) }),
      ...rest,
    }))
    .sort((left, right) => left.line - right.line || left.column - right.column);
}
