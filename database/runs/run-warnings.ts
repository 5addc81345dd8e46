import { shortened } from '../../base/text/printable.ts';
import { told, type Warning } from '../../contract/warning.ts';

/** A warning as it is kept with its run. */
export interface RunWarning extends Warning {
  /** Null where it is of no stage, such as one of the manifest. */
  readonly stage: string | null;
}

/** More warnings of one stage than a person reads, and characters of each. */
const MOST = 20;
const LONGEST = 1000;

/** As many as are kept, as JSON: what was left out is the last of them. */
export function keptWarnings(stage: string | null, warnings: readonly Warning[]): string {
  const kept =
    warnings.length > MOST ? [...warnings.slice(0, MOST - 1), ...leftOut(warnings.length - MOST + 1)] : warnings;
  const bounded = kept.map(({ code, message }): RunWarning => ({ stage, code, message: shortened(message, LONGEST) }));
  // Postgres has no NUL in a text.
  return JSON.stringify(bounded).replaceAll('\\u0000', '');
}

function leftOut(count: number): Warning[] {
  return told('WARNINGS_LEFT_OUT', [`${count} more warnings are not kept.`]);
}
