import { loadManifestFile, validateManifest } from '../crds/index.ts';
import { HoldfastError } from '../jobs/errors.ts';
import { faultLine } from './manifests.ts';

export interface ValidateStreams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Read for a file named `-`. */
  readonly stdin?: NodeJS.ReadableStream;
}

/**
 * `holdfast validate FILE…`: names every fault of every object, one a line, then a summary.
 * @returns exit status: 0, or 78 when anything is refused or cannot be read
 */
export async function validateFiles(files: readonly string[], io: ValidateStreams): Promise<number> {
  const total = { objects: 0, faults: 0, warnings: 0 };
  for (const file of files) {
    try {
      for (const document of await loadManifestFile(file, io.stdin)) {
        const { faults, warnings } = validateManifest(document);
        total.objects += 1;
        total.faults += faults.length;
        total.warnings += warnings.length;
        for (const fault of faults) io.stdout.write(`${faultLine(fault)}\n`);
        for (const warning of warnings) io.stdout.write(`warning: ${faultLine(warning)}\n`);
      }
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      total.faults += 1;
      io.stderr.write(`${error.code}: ${error.message}\n`);
    }
  }
  const verdict = total.faults === 0 ? 'valid' : 'refused';
  io.stdout.write(
    `${verdict}: ${counted(total.objects, 'object')}, ${counted(total.faults, 'fault')}, ${counted(total.warnings, 'warning')}\n`,
  );
  return total.faults === 0 ? 0 : 78;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
