import { type Fault, loadManifestFile, validateManifest } from '../crds/index.ts';
import { HoldfastError } from '../jobs/errors.ts';
import { FaultList } from './fault-list.ts';

export interface ValidateStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** For what is said about schedules that are over. */
  readonly now: () => Date;
  /** Read for a file named `-`. */
  readonly stdin?: NodeJS.ReadableStream;
}

/** What `--output json` says of one fault or warning; docs/guides/gitops.md promises these fields. */
export interface Finding {
  readonly file: string;
  /** From 1, as is the column; null where the file cannot be read. */
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
 * @returns exit status: 0, or 78 when anything is refused or cannot be read
 */
export async function validateFiles(
  files: readonly string[],
  { output }: { readonly output: 'text' | 'json' },
  io: ValidateStreams,
): Promise<number> {
  const print = (line: string) => output === 'text' && io.stdout.write(`${line}\n`);
  const faults = new FaultList(print);
  const warnings = new FaultList((line) => print(`warning: ${line}`));
  const findings: Finding[] = [];
  let objects = 0;
  let unreadable = 0;
  for (const file of files) {
    try {
      for (const document of await loadManifestFile(file, io.stdin)) {
        const validation = validateManifest(document, { now: io.now() });
        const object = objectOf(document.value);
        objects += 1;
        for (const fault of validation.faults) faults.add(fault);
        for (const warning of validation.warnings) warnings.add(warning);
        findings.push(...validation.faults.map((fault) => found(fault, object, 'fault')));
        findings.push(...validation.warnings.map((warning) => found(warning, object, 'warning')));
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      unreadable += 1;
      if (output === 'text') io.stderr.write(`${error.code}: ${error.message}\n`);
      const name = file === '-' ? 'stdin' : file;
      findings.push({ ...NOWHERE, file: name, code: error.code, message: error.message, severity: 'fault' });
    }
  }
  faults.end();
  warnings.end();
  const wrong = faults.count + unreadable;
  const valid = wrong === 0;
  if (output === 'json') {
    io.stdout.write(`${JSON.stringify({ valid, objects, faults: wrong, warnings: warnings.count, findings })}\n`);
  }
  print(
    `${valid ? 'valid' : 'refused'}: ${counted(objects, 'object')}, ${counted(wrong, 'fault')}, ${counted(warnings.count, 'warning')}`,
  );
  return valid ? 0 : 78;
}

const NOWHERE = { line: null, column: null, object: null, path: null };

function found(fault: Fault, object: string | null, severity: Finding['severity']): Finding {
  const { file, line, column, field, reason, suggestion } = fault;
  const message = suggestion === undefined ? reason : `${reason} (did you mean ${suggestion}?)`;
  return { file, line, column, object, path: field, code: 'HF_MANIFEST_INVALID', message, severity };
}

function objectOf(value: unknown): string | null {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: { name?: unknown } | null };
  const name = metadata?.name;
  return typeof kind === 'string' && typeof name === 'string' ? `${kind}/${name}` : null;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
