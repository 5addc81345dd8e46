/** How far a float32 sum may leave 0 to 1 by rounding alone: some thousand terms lose less than this. */
const ROUNDING = 1e-5;

/**
 * A churn risk from 0 to 1. What is beyond by no more than rounding is the bound itself, as with a forest of float32
 * whose ten equal trees add up to 1.0000001.
 * @returns NaN for anything else
 */
export function riskScore(output: number): number {
  if (output >= 0 && output <= 1) return output;
  if (output > 1 && output <= 1 + ROUNDING) return 1;
  return output < 0 && output >= -ROUNDING ? 0 : Number.NaN;
}

/** The least and greatest of the outputs seen, for whoever must find out what is wrong with them. */
export class OutputRange {
  #least = Number.POSITIVE_INFINITY;
  #greatest = Number.NEGATIVE_INFINITY;
  #others = false;

  add(output: number): void {
    if (Number.isNaN(output)) this.#others = true;
    if (output < this.#least) this.#least = output;
    if (output > this.#greatest) this.#greatest = output;
  }

  /** `the least is -0.2, the greatest 1.3, some are no number`. */
  get words(): string {
    const span =
      this.#least > this.#greatest
        ? []
        : [`the least is ${shortest(this.#least)}`, `the greatest ${shortest(this.#greatest)}`];
    return [...span, ...(this.#others ? ['some are no number'] : [])].join(', ');
  }
}

function shortest(output: number): string {
  return String(Number(output.toPrecision(9)));
}
