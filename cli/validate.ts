import { loadManifestFile, validateManifest } from '../crds/index.ts';
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

/**
 * `holdfast validate FILE…`: names every fault of every object, one a line, then a summary.
 * @returns exit status: 0, or 78 when anything is refused or cannot be read
 */
export async function validateFiles(files: readonly string[], io: ValidateStreams): Promise<number> {
  const faults = new FaultList((line) => io.stdout.write(`${line}\n`));
  const warnings = new FaultList((line) => io.stdout.write(`warning: ${line}\n`));
  let objects = 0;
  let unreadable = 0;
  for (const file of files) {
    try {
      for (const document of await loadManifestFile(file, io.stdin)) {
        const validation = validateManifest(document, { now: io.now() });
        objects += 1;
        for (const fault of validation.faults) faults.add(fault);
        for (const warning of validation.warnings) warnings.add(warning);
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      unreadable += 1;
      io.stderr.write(`${error.code}: ${error.message}\n`);
    }
  }
  faults.end();
  warnings.end();
  const wrong = faults.count + unreadable;
  io.stdout.write(
    `${wrong === 0 ? 'valid' : 'refused'}: ${counted(objects, 'object')}, ${counted(wrong, 'fault')}, ${counted(warnings.count, 'warning')}\n`,
  );
  return wrong === 0 ? 0 : 78;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
