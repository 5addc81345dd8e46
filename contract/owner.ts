import type { PipelineDefinition } from './pipelines.ts';

/** Field of an owner's spec with the name that its runs are kept by, by kind. */
const NAMED_BY: Readonly<Record<PipelineDefinition['owner'], string>> = { program: 'programId' };

/**
 * The name that the runs of an owner are kept by, in folders and tables as `program` beside its namespace. Whoever deletes
 * the owner and makes it again goes on where it was.
 */
export function ownerName(kind: PipelineDefinition['owner'], spec: object): string {
  return String((spec as Readonly<Record<string, unknown>>)[NAMED_BY[kind]]);
}
