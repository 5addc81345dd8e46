import { HoldfastError } from '../../base/errors.ts';
import { type Fault, loadManifestFile, UnreadableManifest, validateManifest } from '../../crds/index.ts';
import type { Io } from '../io.ts';
import { FaultList } from '../terminal/fault-list.ts';
import { duration, integer } from '../terminal/figures.ts';
import type { CodedFault, SoundDocument, Trial } from './validate-deep.ts';

/** Options as the command line gives them. */
export interface ValidateOptions {
  readonly output: 'text' | 'json';
  /** Whether each program is gone through as by `run --dry-run`. */
  readonly deep?: boolean;
  readonly data: string;
}

export interface ValidateIo extends Io {
  /** Read for a file named `-`. */
  readonly stdin?: NodeJS.ReadableStream;
}

/** What `--output json` says of one fault or warning; docs/guides/gitops.md promises these fields. */
interface Finding {
  readonly file: string;
  /** From 1, as is the column; null where the file cannot be read as far as any. */
  readonly line: number | null;
  readonly column: number | null;
  /** Such as `RetentionProgram/churn-prevention`; null where the object says no kind or no name. */
  readonly object: string | null;
  readonly path: string | null;
  readonly code: string;
  readonly message: string;
  readonly severity: 'fault' | 'warning';
}

/**
 * `holdfast validate FILE…`: names every fault of every object, one a line, then a summary; or all as one JSON object.
 * @returns exit status: 0; 78 when anything is refused or cannot be read; 1 when all that is in the way may pass
 * @throws HF_INTERRUPTED while the files are read
 */
export async function validateFiles(
  files: readonly string[],
  options: ValidateOptions,
  io: ValidateIo,
): Promise<number> {
  const { output } = options;
  const print = (line: string) => output === 'text' && io.stdout.write(`${line}\n`);
  const faults = new FaultList(print);
  const warnings = new FaultList((line) => print(`warning: ${line}`));
  const findings: Finding[] = [];
  const sound: SoundDocument[] = [];
  let objects = 0;
  let unreadable = 0;
  for (const file of files) {
    try {
      for (const document of await loadManifestFile(file, io)) {
        const { resolved, ...validation } = validateManifest(document, { now: io.now(), providers: io.providers });
        const object = objectOf(document.value);
        objects += 1;
        for (const fault of validation.faults) faults.add(fault);
        for (const warning of validation.warnings) warnings.add(warning);
        findings.push(...validation.faults.map((fault) => found(fault, object, 'fault', 'HF_MANIFEST_INVALID')));
        findings.push(...validation.warnings.map((warning) => found(warning, object, 'warning', 'MANIFEST')));
        if (resolved !== undefined) sound.push({ document, file, object: resolved });
      }
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code === 'HF_INTERRUPTED') throw error;
      unreadable += 1;
      if (output === 'text') io.stderr.write(`${error.code}: ${error.message}\n`);
      findings.push(unread(file === '-' ? 'stdin' : file, error));
    }
  }
  const trials: Trial[] = [];
  if (options.deep === true) {
    const { tryPrograms } = await import('./validate-deep.ts');
    for await (const trial of tryPrograms(sound, options, io)) {
      trials.push(trial);
      const { object, fault } = trial;
      if (fault !== undefined) faults.add(withCode(fault));
      for (const warning of trial.warnings) warnings.add(withCode(warning));
      if (fault !== undefined) findings.push(found(fault, object, 'fault', fault.code));
      findings.push(...trial.warnings.map((warning) => found(warning, object, 'warning', warning.code)));
      print(trialLine(trial));
    }
  }
  faults.end();
  warnings.end();
  const wrong = faults.count + unreadable;
  const passing = trials.filter(({ outcome, mayPass }) => outcome === 'failed' && mayPass).length;
  const verdict = wrong === 0 ? 'valid' : wrong === passing ? 'undecided' : 'refused';
  if (output === 'json') {
    const deep = options.deep === true ? { deep: trials.map(trialReport) } : {};
    const said = { valid: wrong === 0, objects, faults: wrong, warnings: warnings.count, findings, ...deep };
    io.stdout.write(`${JSON.stringify(said)}\n`);
  }
  const tried = trials.filter(({ outcome }) => outcome !== 'skipped').length;
  print(
    `${verdict}: ${counted(objects, 'object')}, ${counted(wrong, 'fault')}, ${counted(warnings.count, 'warning')}${
      options.deep === true ? `; ${tried} tried, ${trials.length - tried} not` : ''
    }`,
  );
  return { valid: 0, undecided: 1, refused: 78 }[verdict];
}

function found(fault: Fault, object: string | null, severity: Finding['severity'], code: string): Finding {
  const { file, line, column, field, reason, suggestion } = fault;
  const message = suggestion === undefined ? reason : `${reason} (did you mean ${suggestion}?)`;
  return { file, line, column, object, path: field, code, message, severity };
}

function unread(file: string, error: HoldfastError): Finding {
  const { line, column } = error instanceof UnreadableManifest ? error.position : { line: null, column: null };
  return { file, line, column, object: null, path: null, code: error.code, message: error.message, severity: 'fault' };
}

function withCode({ code, ...fault }: CodedFault): Fault {
  return { ...fault, reason: `${code}: ${fault.reason}` };
}

function objectOf(value: unknown): string | null {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
  const name = metadata?.name;
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}/${name}` : null;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How a trial went, without what it found, which is among the findings. */
function trialReport({ file, line, object, outcome, reason, seconds, stages }: Trial) {
  return { file, line, object, outcome, reason: reason ?? null, seconds, stages };
}

function trialLine({ file, line, object, outcome, reason, seconds, stages }: Trial): string {
  const place = `${file}:${line} ${object}`;
  if (outcome === 'skipped') return `${place}: not tried: ${reason}`;
  const rows = stages.map(({ name, rowsOut }) => `${name} ${integer(rowsOut)}`).join(', ');
  return `${place}: ${outcome} after ${duration(seconds)}${rows === '' ? '' : `: ${rows}`}`;
}
