export { loadManifestFile, loadManifests, type ManifestDocument } from './load.ts';
export type { RetentionProgram, RetentionRun } from './objects.ts';
export type { RetentionProgramSpec } from './retention-program.ts';
export { type Fault, validateManifest } from './validate.ts';
