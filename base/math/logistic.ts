/** Columns of numbers, one array each; NaN where a value is missing. */
export type Columns = readonly Float64Array[];

/** A fitted logistic regression over prepared columns: the log-odds are `intercept + Σ weights[j] · column[j]`. */
export interface LogisticFit {
  readonly intercept: number;
  readonly weights: Float64Array;
  readonly iterations: number;
  readonly converged: boolean;
}

const MOST_ITERATIONS = 50;
/** Largest change of a coefficient, on columns of unit variance, at which nothing moves any more. */
const TOLERANCE = 1e-8;
/** A step that makes the loss worse is halved at most this often. */
const MOST_HALVINGS = 20;

/**
 * Maximum likelihood with an L2 penalty, by Newton's method, which for this loss is iteratively reweighted least
 * squares (McCullagh and Nelder 1989, section 2.5). The loss is convex, so the answer does not depend on where it
 * starts. The intercept is not penalised: the mean prediction is the base rate.
 * @param columns standardised, without NaN
 * @param labels 1 for positive, 0 for negative
 * @param penalty half of it times the squared weights is added to the summed loss; above 0
 */
export function fitLogistic(columns: Columns, labels: Uint8Array, penalty: number): LogisticFit {
  const rows = labels.length;
  const size = columns.length + 1;
  let coefficients = new Float64Array(size);
  let odds = logOdds(columns, coefficients, rows);
  let loss = penalisedLoss(odds, labels, coefficients, penalty);
  for (let iteration = 1; iteration <= MOST_ITERATIONS; iteration++) {
    const { gradient, hessian } = derivatives(columns, odds, labels, coefficients, penalty);
    const step = solvePositive(hessian, gradient, size);
    let scale = 1;
    for (let halving = 0; ; halving++) {
      const next = coefficients.map((value, index) => value - scale * (step[index] as number));
      const nextOdds = logOdds(columns, next, rows);
      const nextLoss = penalisedLoss(nextOdds, labels, next, penalty);
      if (nextLoss <= loss || halving === MOST_HALVINGS) {
        [coefficients, odds, loss] = [next, nextOdds, nextLoss];
        break;
      }
      scale /= 2;
    }
    const moved = step.reduce((most, value) => Math.max(most, Math.abs(value * scale)), 0);
    if (moved < TOLERANCE) return toFit(coefficients, iteration, true);
  }
  return toFit(coefficients, MOST_ITERATIONS, false);
}

/** Probability of log-odds. */
export function sigmoid(odds: number): number {
  return 1 / (1 + Math.exp(-odds));
}

/** Log-odds of each row for coefficients whose first is the intercept. */
function logOdds(columns: Columns, coefficients: Float64Array, rows: number): Float64Array {
  const odds = new Float64Array(rows).fill(coefficients[0] as number);
  for (const [index, column] of columns.entries()) {
    const weight = coefficients[index + 1] as number;
    if (weight === 0) continue;
    for (let row = 0; row < rows; row++) odds[row] = (odds[row] as number) + weight * (column[row] as number);
  }
  return odds;
}

function penalisedLoss(odds: Float64Array, labels: Uint8Array, coefficients: Float64Array, penalty: number): number {
  let loss = 0;
  for (let row = 0; row < labels.length; row++) {
    const z = labels[row] === 0 ? (odds[row] as number) : -(odds[row] as number);
    // log(1 + e^z) without overflow.
    loss += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
  }
  for (let index = 1; index < coefficients.length; index++)
    loss += (penalty / 2) * (coefficients[index] as number) ** 2;
  return loss;
}

interface Derivatives {
  readonly gradient: Float64Array;
  /** Row-major, symmetric. */
  readonly hessian: Float64Array;
}

function derivatives(
  columns: Columns,
  odds: Float64Array,
  labels: Uint8Array,
  coefficients: Float64Array,
  penalty: number,
): Derivatives {
  const rows = labels.length;
  const size = columns.length + 1;
  const residuals = new Float64Array(rows);
  const variances = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const probability = sigmoid(odds[row] as number);
    residuals[row] = probability - (labels[row] as number);
    variances[row] = probability * (1 - probability);
  }
  const gradient = new Float64Array(size);
  const hessian = new Float64Array(size * size);
  const weighted = new Float64Array(rows);
  const ones = new Float64Array(rows).fill(1);
  const all = [ones, ...columns];
  for (const [index, column] of all.entries()) {
    gradient[index] = dot(column, residuals) + (index === 0 ? 0 : penalty * (coefficients[index] as number));
    for (let row = 0; row < rows; row++) weighted[row] = (column[row] as number) * (variances[row] as number);
    for (let other = 0; other <= index; other++) {
      const value = dot(all[other] as Float64Array, weighted) + (index === other && index > 0 ? penalty : 0);
      hessian[index * size + other] = value;
      hessian[other * size + index] = value;
    }
  }
  return { gradient, hessian };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < a.length; index++) sum += (a[index] as number) * (b[index] as number);
  return sum;
}

/** Least pivot: a direction that the data say nothing about is no division by 0. */
const RIDGE = 1e-12;

/** Solves a symmetric positive definite system by Cholesky's decomposition. */
export function solvePositive(matrix: Float64Array, right: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row * size + column] as number;
      for (let inner = 0; inner < column; inner++) {
        sum -= (lower[row * size + inner] as number) * (lower[column * size + inner] as number);
      }
      if (row === column) lower[row * size + row] = Math.sqrt(Math.max(sum, RIDGE));
      else lower[row * size + column] = sum / (lower[column * size + column] as number);
    }
  }
  const solution = Float64Array.from(right);
  for (let row = 0; row < size; row++) {
    let sum = solution[row] as number;
    for (let column = 0; column < row; column++)
      sum -= (lower[row * size + column] as number) * (solution[column] as number);
    solution[row] = sum / (lower[row * size + row] as number);
  }
  for (let row = size - 1; row >= 0; row--) {
    let sum = solution[row] as number;
    for (let below = row + 1; below < size; below++)
      sum -= (lower[below * size + row] as number) * (solution[below] as number);
    solution[row] = sum / (lower[row * size + row] as number);
  }
  return solution;
}

function toFit(coefficients: Float64Array, iterations: number, converged: boolean): LogisticFit {
  return { intercept: coefficients[0] as number, weights: coefficients.slice(1), iterations, converged };
}
