import { dirname, resolve } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { printable } from '../../base/text/printable.ts';
import { exitStatus } from '../../contract/exit-status.ts';
import { asFailure } from '../../contract/failure.ts';
import { PUBLISHING } from '../../contract/pipelines.ts';
import type { Warning } from '../../contract/warning.ts';
import {
  type Fault,
  fieldName,
  type ManifestDocument,
  type RetentionProgram,
  type RetentionRun,
} from '../../crds/index.ts';
import { withCommandAsCalled } from '../called-as.ts';
import type { Io } from '../io.ts';
import type { LocalRunResult } from '../local/local-run.ts';
import type { ReportedStage } from '../terminal/report.ts';
import type { RunnableManifest } from './manifests.ts';
import { prepareAndRun } from './run.ts';

/** A document that nothing is wrong with as it is written. */
export interface SoundDocument {
  readonly document: ManifestDocument;
  /** As it was given; `-` is standard input. */
  readonly file: string;
  readonly object: RetentionProgram | RetentionRun;
}

/** A fault, or a warning, that has a code of its own. */
export interface CodedFault extends Fault {
  readonly code: string;
}

/** What came of going through one document as a dry run does. */
export interface Trial {
  readonly file: string;
  readonly line: number;
  /** Such as `RetentionProgram/churn-prevention`. */
  readonly object: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  readonly reason?: string;
  readonly seconds: number;
  /** Those that it got through. */
  readonly stages: readonly Pick<ReportedStage, 'name' | 'rowsIn' | 'rowsOut'>[];
  readonly fault?: CodedFault;
  /** Whether the fault may be gone when the same is tried again. */
  readonly mayPass: boolean;
  readonly warnings: readonly CodedFault[];
}

/**
 * Goes through each document as `run --dry-run` does, one after the other, and leaves nothing behind. A program has the
 * time that its own `execution.deadlineSeconds` gives one task.
 */
export async function* tryPrograms(
  documents: readonly SoundDocument[],
  { data }: { readonly data: string },
  io: Io,
): AsyncGenerator<Trial> {
  for (const one of documents) {
    const manifest = io.signal.aborted ? 'the check was stopped before' : runnable(one, documents);
    yield typeof manifest === 'string'
      ? { ...placeOf(one), outcome: 'skipped', reason: manifest, seconds: 0, stages: [], mayPass: false, warnings: [] }
      : await tryOne(one, manifest, data, io);
  }
}

/** What a dry run of a document would run; or why there is none. */
function runnable(one: SoundDocument, documents: readonly SoundDocument[]): RunnableManifest | string {
  const { object } = one;
  if (object.kind === 'RetentionProgram') {
    return object.spec.enabled ? manifestOf(object, one.file) : 'enabled is false, so nothing runs it';
  }
  const { programRef, pipeline, slot, retryOf, suspend, cancel } = object.spec;
  if (pipeline !== PUBLISHING) return `a ${pipeline} reads no source and no model`;
  if (retryOf !== undefined) return `it is another try of the run ${retryOf.name}`;
  if (cancel || suspend) return `the run is ${cancel ? 'cancelled' : 'suspended'}`;
  const namespace = object.metadata.namespace ?? 'default';
  for (const { object: program, file } of documents) {
    if (program.kind !== 'RetentionProgram' || program.metadata.name !== programRef.name) continue;
    if ((program.metadata.namespace ?? 'default') !== namespace) continue;
    if (!program.spec.enabled) return `its program ${programRef.name} is not enabled`;
    if (slot === undefined) return `its program ${programRef.name} is, as of the same slot`;
    return { ...manifestOf(program, file), run: object };
  }
  return `its program ${programRef.name} is not among the files, or has faults`;
}

/** @param file whose folder relative paths start from; `-` has the current one */
function manifestOf(program: RetentionProgram, file: string): RunnableManifest {
  return { program, run: undefined, baseFolder: dirname(resolve(file)), warnings: [] };
}

async function tryOne(one: SoundDocument, manifest: RunnableManifest, data: string, io: Io): Promise<Trial> {
  const { deadlineSeconds } = manifest.program.spec.execution;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(tooLong(deadlineSeconds)), deadlineSeconds * 1000);
  const signal = AbortSignal.any([io.signal, late.signal]);
  const place = placeOf(one);
  io.stderr.write(`${place.file}:${place.line} ${place.object}\n`);
  const started = io.elapsed();
  const result = await dryRun(manifest, data, { ...io, signal });
  clearTimeout(timer);
  const { failure } = result;
  return {
    ...place,
    outcome: failure === undefined ? 'passed' : 'failed',
    seconds: Math.round(io.elapsed() - started) / 1000,
    stages: result.stages.map(({ name, rowsIn, rowsOut }) => ({ name, rowsIn, rowsOut })),
    ...(failure === undefined ? {} : { fault: coded(one, failure, failure.field, io) }),
    mayPass: failure !== undefined && exitStatus(failure) === 1,
    warnings: result.warnings.map((warning) => coded(one, warning, undefined, io)),
  };
}

/** The dry run, with what is refused before its first stage as its failure. */
async function dryRun(
  manifest: RunnableManifest,
  data: string,
  io: Io,
): Promise<Pick<LocalRunResult, 'warnings' | 'failure'> & Pick<LocalRunResult['report'], 'stages'>> {
  const options = { output: 'json', data, source: [], dryRun: true } as const;
  try {
    const { report, warnings, failure } = await prepareAndRun(async () => manifest, options, { warnings: [] }, io);
    return { stages: report.stages, warnings, ...(failure === undefined ? {} : { failure }) };
  } catch (error) {
    return { stages: [], warnings: [], failure: asFailure(error, io.signal) };
  }
}

function tooLong(seconds: number): HoldfastError {
  const error = new HoldfastError(
    'HF_INTERRUPTED',
    `not done after ${seconds} s, which is what one task of it may take: give it more, or less to read`,
  );
  error.field = ['spec', 'execution', 'deadlineSeconds'];
  return error;
}

function placeOf({ document, object }: SoundDocument): Pick<Trial, 'file' | 'line' | 'object'> {
  const { line } = document.position([]);
  return { file: document.file, line, object: `${object.kind}/${object.metadata.name}` };
}

/** Where the document says it, if it does: a run has its program elsewhere. */
function coded(
  { document, object }: SoundDocument,
  { code, message }: HoldfastError | Warning,
  field: HoldfastError['field'],
  io: Io,
): CodedFault {
  const path = object.kind === 'RetentionProgram' && field !== undefined ? field : [];
  return {
    file: document.file,
    ...document.position(path),
    field: fieldName(path),
    reason: withCommandAsCalled(printable(message), io),
    class: 'runtime',
    code,
  };
}
