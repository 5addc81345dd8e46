import type { Fault } from '../../crds/index.ts';

/** More faults than a person mends at once; and more of one kind than it takes to see which it is. */
const MOST_TOLD = 50;
const MOST_OF_A_KIND = 5;
/** Kinds of which is said how many more there are. */
const MOST_KINDS = 10;

/** A fault as one line: `file:line:column field: reason`. */
export function faultLine({ file, line, column, field, reason, suggestion }: Fault): string {
  const meant = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
  return `${file}:${line}:${column} ${field}: ${reason}${meant}`;
}

/** Faults as a person reads them: each on a line, of one kind the first few, and how many more there are. */
export class FaultList {
  readonly #write: (line: string) => void;
  readonly #kinds = new Map<string, { readonly first: Fault; count: number; told: number }>();
  #count = 0;
  #told = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Faults so far, told or not. */
  get count(): number {
    return this.#count;
  }

  /** Tells a fault, unless enough have been. */
  add(fault: Fault): void {
    this.#count += 1;
    const name = kindOf(fault);
    const kind = this.#kinds.get(name) ?? { first: fault, count: 0, told: 0 };
    this.#kinds.set(name, kind);
    kind.count += 1;
    if (kind.told === MOST_OF_A_KIND || this.#told === MOST_TOLD) return;
    kind.told += 1;
    this.#told += 1;
    this.#write(faultLine(fault));
  }

  /** Says how many were not told. */
  end(): void {
    let more = this.#count - this.#told;
    const hidden = [...this.#kinds.values()].filter(({ count, told }) => told > 0 && count > told);
    for (const { first, count, told } of hidden.slice(0, MOST_KINDS)) {
      more -= count - told;
      this.#write(`and ${count - told} more like ${first.file}:${first.line}:${first.column} ${first.field}`);
    }
    if (more > 0) this.#write(`and ${more} more that are not shown`);
  }
}

/** What is wrong, whichever entry of a list it is wrong of, and whatever stands there. */
function kindOf({ file, field, reason }: Fault): string {
  const place = reason.startsWith('is not a field here') ? field.replace(/(\.[^.[\]]+|\[[^\]]*\])$/, '') : field;
  return `${file} ${place.replaceAll(/\[[^\]]*\]/g, '[]')} ${reason.replaceAll(/"[^"]*"|\d+/g, '')}`;
}
