import { dirname, resolve } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import {
  type Fault,
  loadManifestFile,
  type ManifestDocument,
  type RetentionProgram,
  type RetentionRun,
  validateManifest,
} from '../../crds/index.ts';
import { messageAsCalled } from '../called-as.ts';
import type { Io } from '../io.ts';
import { FaultList } from '../terminal/fault-list.ts';

/** A program, and the run that asks for it if the file has one. */
export interface RunnableManifest {
  readonly program: RetentionProgram;
  readonly run: RetentionRun | undefined;
  /** Folder that relative paths in the manifest start from. */
  readonly baseFolder: string;
  /** Its path; undefined for standard input. */
  readonly file?: string;
  /** What validation warns of, which was said already. */
  readonly warnings: readonly Fault[];
}

/**
 * Reads and validates what `holdfast run` is given; faults and warnings go to stderr, a line each.
 * @param now the instant at which schedules that are over are warned of
 * @throws HF_MANIFEST_UNREADABLE, HF_MANIFEST_INVALID, HF_RUN_CANCELLED
 */
export async function readRunnable(file: string, io: Io, now: Date): Promise<RunnableManifest> {
  const documents = await loadManifestFile(file, { signal: io.signal });
  const { objects, warnings } = validated(documents, file, io, now);
  const programs = objects.filter((object) => object.kind === 'RetentionProgram');
  const runs = objects.filter((object) => object.kind === 'RetentionRun');
  const [run] = runs;
  const program =
    run === undefined ? programs[0] : programs.find((one) => one.metadata.name === run.spec.programRef.name);
  if (program === undefined) {
    const wanted = run === undefined ? 'a RetentionProgram' : `the RetentionProgram ${run.spec.programRef.name}`;
    throw new HoldfastError('HF_MANIFEST_INVALID', `${file}: ${wanted} is not in the file`);
  }
  if (runs.length > 1 || (run === undefined && programs.length > 1)) {
    throw new HoldfastError('HF_MANIFEST_INVALID', `${file}: holds more than one thing to run; give one file for each`);
  }
  refuseStopped(program, run);
  const path = resolve(file);
  return { program, run, baseFolder: dirname(path), ...(file === '-' ? {} : { file: path }), warnings };
}

function validated(
  documents: readonly ManifestDocument[],
  file: string,
  io: Io,
  now: Date,
): { objects: (RetentionProgram | RetentionRun)[]; warnings: Fault[] } {
  const found: Fault[] = [];
  const objects: (RetentionProgram | RetentionRun)[] = [];
  const faults = new FaultList((line) => io.stderr.write(`${line}\n`));
  const warnings = new FaultList((line) => io.stderr.write(`warning: ${messageAsCalled(line, io)}\n`));
  for (const document of documents) {
    const validation = validateManifest(document, { now, providers: io.providers, pipelines: io.runnable?.table });
    for (const fault of validation.faults) faults.add(fault);
    for (const warning of validation.warnings) {
      warnings.add(warning);
      found.push(warning);
    }
    if (validation.resolved !== undefined) objects.push(validation.resolved);
  }
  faults.end();
  warnings.end();
  const { count } = faults;
  if (count === 0) return { objects, warnings: found };
  throw new HoldfastError(
    'HF_MANIFEST_INVALID',
    `${file}: ${count === 1 ? '1 fault' : `${count} faults`}, nothing was run`,
  );
}

function refuseStopped(program: RetentionProgram, run: RetentionRun | undefined): void {
  const name = run?.metadata.name ?? program.metadata.name;
  if (!program.spec.enabled) {
    throw new HoldfastError('HF_RUN_CANCELLED', `program ${program.metadata.name} is not enabled: set enabled to true`);
  }
  if (run?.spec.cancel === true) throw new HoldfastError('HF_RUN_CANCELLED', `run ${name} is cancelled`);
  if (run?.spec.suspend === true) throw new HoldfastError('HF_RUN_CANCELLED', `run ${name} is suspended`);
}
