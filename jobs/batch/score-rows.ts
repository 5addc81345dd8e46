import type { Engine } from '../../base/duckdb/engine.ts';
import { type ColumnAppender, copyDoubles, type RowRange } from '../../base/duckdb/vectors.ts';
import { HoldfastError } from '../../base/errors.ts';
import { OutputRange, riskScore } from '../../providers/models/risk-score.ts';
import type { BatchedModel, ScoringModels } from './scoring-models.ts';

/** Columns of the table that scores are appended to. `kind` is the place of the best offer kind, from 0. */
export const SCORE_COLUMNS = { row_number: 'INTEGER', risk: 'FLOAT', kind: 'INTEGER', effect: 'FLOAT' } as const;
const NO_KIND = -1;

interface Work {
  readonly source: Engine;
  /** A SELECT of doubles: the row's number, the features of the risk model, then those of the offer model. */
  readonly query: string;
  readonly models: ScoringModels;
  readonly scores: ColumnAppender;
  readonly totalRows: number;
  readonly signal: AbortSignal;
  readonly progress: (done: number, total?: number) => void;
}

/**
 * Scores every row in blocks of some batches. Memory holds one block, whatever the number of rows.
 * @throws HF_SCORE_OUT_OF_RANGE after the last row, with how many rows of which model are wrong
 */
export async function scoreRows(work: Work): Promise<void> {
  const block = new Block(work);
  let done = 0;
  for await (const chunk of work.source.chunks(work.query)) {
    for (let start = 0; start < chunk.rowCount; ) {
      const count = Math.min(chunk.rowCount - start, block.room);
      block.fill(chunk, { start, count });
      start += count;
      if (block.room > 0) continue;
      done += await block.score();
      work.progress(done, work.totalRows);
      work.signal.throwIfAborted();
    }
  }
  done += await block.score();
  work.progress(done, work.totalRows);
  block.assertInRange();
}

type Chunk = Parameters<typeof copyDoubles>[0];

/** Features of one model, row-major, and how many of its outputs were wrong. */
class Lane {
  readonly batched: BatchedModel;
  readonly #features: Float32Array;
  wrong = 0;
  readonly range = new OutputRange();

  constructor(batched: BatchedModel, capacity: number) {
    this.batched = batched;
    this.#features = new Float32Array(capacity * this.width);
  }

  get width(): number {
    return this.batched.model.manifest.features.length;
  }

  fill(chunk: Chunk, firstColumn: number, rows: RowRange, filled: number): void {
    for (let feature = 0; feature < this.width; feature++) {
      copyDoubles(chunk, firstColumn + feature, rows, this.#features, filled * this.width + feature, this.width);
    }
  }

  /** Outputs of the first `rows` rows: batch by batch, as many at once as the model likes. */
  async outputs(rows: number): Promise<Float32Array> {
    const { model, batchSize } = this.batched;
    if (rows <= batchSize) return model.score(this.#features, rows);
    const outputs = new Float32Array(rows * model.outputs);
    let next = 0;
    const scoreBatches = async () => {
      while (next < rows) {
        const start = next;
        const count = Math.min(batchSize, rows - start);
        next += count;
        const batch = this.#features.subarray(start * this.width, (start + count) * this.width);
        outputs.set(await model.score(batch, count), start * model.outputs);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: model.concurrency }, scoreBatches));
    // Not before all have ended: a model is not to be closed under a batch.
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    return outputs;
  }
}

/** Batches of a block for each that is scored at a time, so that none waits long for the last of the block. */
const BATCHES_EACH = 4;

/** Rows that a block has room for, unless one batch has more. */
const MOST_ROWS = 65_536;

function rowsAtOnce(batched: BatchedModel | undefined): number {
  if (batched === undefined) return 1;
  const { model, batchSize } = batched;
  if (model.concurrency === 1) return batchSize;
  return Math.max(batchSize, Math.min(MOST_ROWS, BATCHES_EACH * model.concurrency * batchSize));
}

class Block {
  readonly #work: Work;
  readonly #risk: Lane;
  readonly #offers: Lane | undefined;
  readonly #capacity: number;
  readonly #rowNumbers: Float64Array;
  readonly #kinds: Int32Array;
  readonly #effects: Float32Array;
  #filled = 0;

  constructor(work: Work) {
    const { risk, offers } = work.models;
    this.#work = work;
    this.#capacity = Math.max(1, Math.min(Math.max(rowsAtOnce(risk), rowsAtOnce(offers)), work.totalRows));
    this.#risk = new Lane(risk, this.#capacity);
    this.#offers = offers && new Lane(offers, this.#capacity);
    this.#rowNumbers = new Float64Array(this.#capacity);
    this.#kinds = new Int32Array(this.#capacity).fill(NO_KIND);
    this.#effects = new Float32Array(this.#capacity);
  }

  get room(): number {
    return this.#capacity - this.#filled;
  }

  fill(chunk: Chunk, rows: RowRange): void {
    copyDoubles(chunk, 0, rows, this.#rowNumbers, this.#filled, 1);
    this.#risk.fill(chunk, 1, rows, this.#filled);
    this.#offers?.fill(chunk, 1 + this.#risk.width, rows, this.#filled);
    this.#filled += rows.count;
  }

  /** Scores what the block holds, empties it, and resolves to its rows. */
  async score(): Promise<number> {
    const rows = this.#filled;
    const risks = await this.#risk.outputs(rows);
    for (let row = 0; row < rows; row++) {
      const risk = riskScore(risks[row] as number);
      this.#risk.range.add(risks[row] as number);
      if (Number.isNaN(risk)) this.#risk.wrong++;
      else risks[row] = risk;
    }
    if (this.#offers !== undefined) this.#recommend(await this.#offers.outputs(rows), rows, this.#offers);
    this.#work.scores.append([this.#rowNumbers, risks, this.#kinds, this.#effects], rows);
    this.#filled = 0;
    return rows;
  }

  /** The kind with the greatest effect; of equal ones the first. */
  #recommend(outputs: Float32Array, rows: number, lane: Lane): void {
    const kinds = lane.batched.model.outputs;
    for (let row = 0; row < rows; row++) {
      const effects = outputs.subarray(row * kinds, (row + 1) * kinds);
      let best = 0;
      for (let kind = 1; kind < kinds; kind++) if ((effects[kind] ?? 0) > (effects[best] ?? 0)) best = kind;
      if (!effects.every(Number.isFinite)) lane.wrong++;
      this.#kinds[row] = best;
      this.#effects[row] = effects[best] ?? Number.NaN;
    }
  }

  assertInRange(): void {
    const faults = [this.#risk, this.#offers].flatMap((lane) => {
      if (lane === undefined || lane.wrong === 0) return [];
      const { modelId, role } = lane.batched.model.manifest;
      const expected = role === 'churn-risk' ? 'a finite number from 0 to 1' : 'finite numbers';
      return [
        `model ${modelId} gave ${lane.wrong} of ${this.#work.totalRows} rows something other than ${expected}${role === 'churn-risk' ? `: ${lane.range.words}` : ''}`,
      ];
    });
    if (faults.length === 0) return;
    throw new HoldfastError(
      'HF_SCORE_OUT_OF_RANGE',
      `${faults.join('; ')}. Check the model and the features that it was given.`,
    );
  }
}
