import { createHash } from 'node:crypto';

/** What a run is pinned to: the spec of its owner, such as a program, as resolved when the run began. */
export interface Revision<Spec = unknown> {
  readonly schemaVersion: 'v1alpha1';
  readonly spec: Spec;
}

/** Name of the file that holds a revision: beside a run's artifacts, in its ConfigMap, and as pods see it. */
export const REVISION_FILE = 'revision.json';

/** The bytes of a revision: keys sorted, so that equal programs are equal bytes. */
export function revisionText(revision: Revision): string {
  return `${JSON.stringify(sorted(revision), undefined, 2)}\n`;
}

/** SHA-256 of the revision's bytes, in lower-case hexadecimal. */
export function revisionDigest(revision: Revision): string {
  return textDigest(revisionText(revision));
}

/** The same of bytes that were read, for whoever knows what it must be. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The revision of bytes that were read. @throws SyntaxError */
export function readRevision<Spec>(text: string): Revision<Spec> {
  return JSON.parse(text) as Revision<Spec>;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
