export { fieldName } from './fault.ts';
export { API_VERSION } from './kinds.ts';
export { loadManifestFile, loadManifests, type ManifestDocument } from './load.ts';
export { checkMeaning } from './meaning.ts';
export type { RetentionProgram, RetentionRun } from './objects.ts';
export type { RetentionProgramSpec, RetentionProgramStatus } from './retention-program.ts';
export type { RetentionRunSpec, RetentionRunStatus } from './retention-run.ts';
export { type Fault, validateManifest } from './validate.ts';
export { unavailableProviders } from './warnings.ts';
