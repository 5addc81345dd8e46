import { printable, shortened } from '../base/text/printable.ts';

/** Where something is within a manifest: field names and list positions, from the top. */
export type FieldPath = readonly (string | number)[];

/** Something wrong with a manifest, or worth knowing about it. */
export interface Fault {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Such as `spec.filterChain[1].parameters.minLifetimeValue`; `(document)` for the whole. */
  readonly field: string;
  /** Follows the field: "is required …", "expected a list, not …". */
  readonly reason: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  /**
   * `admission`: the API server refuses it too, from the schema and its rules alone.
   * `runtime`: only found by reading what the text means, such as a schedule or an expression.
   */
  readonly class: 'admission' | 'runtime';
}

/** A fault that is not yet placed in a file. */
export interface Finding {
  readonly path: FieldPath;
  readonly reason: string;
  readonly suggestion?: string;
  readonly class: Fault['class'];
}

/** Longest name of a field that is told whole, in characters. */
const LONGEST_STEP = 64;

/** Writes a path as people write it. */
export function fieldName(path: FieldPath): string {
  let name = '';
  for (const step of path) {
    if (typeof step === 'number') name += `[${step}]`;
    else if (step.length <= LONGEST_STEP && /^[A-Za-z_][\w-]*$/.test(step)) name += name === '' ? step : `.${step}`;
    else name += `[${printable(JSON.stringify(shortened(step, LONGEST_STEP)))}]`;
  }
  return name === '' ? '(document)' : name;
}

/** Whether `path` is `ancestor` or lies within it. */
export function isWithin(path: FieldPath, ancestor: FieldPath): boolean {
  return path.length >= ancestor.length && ancestor.every((step, index) => path[index] === step);
}
