import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEngine } from '../../base/duckdb/engine.ts';
import { ColumnAppender, copyDoubles } from '../../base/duckdb/vectors.ts';
import { SCORE_COLUMNS, scoreRows } from '../../jobs/batch/score-rows.ts';
import type { ScoringModels } from '../../jobs/batch/scoring-models.ts';
import { loadModel } from '../../providers/models/index.ts';
import { peer } from './python.ts';

const HELP = `Usage: npm run bench:score [-- --rows 1000000] [--times 5] [--python .venv/bin/python]

Scores rows with a model of 100 trees, trained by LightGBM for this, and prints a line of JSON. seconds, of which ratio is
the share of pythonSeconds: the model alone, over the same rows in memory as ONNX Runtime in Python, with as many threads.
stageSeconds: from columns in DuckDB to scores in a table, as the stage does it. Medians; they take turns.

  --rows N       rows to score (default 1000000)
  --times N      rounds (default 5)
  --batch N      batchSize of the model (default 1000, as a program's)
  --python PATH  a Python with examples/models/requirements.txt (default .venv/bin/python)
`;

const FEATURES = 20;
const THREADS = 2;
const MODULES = { lightgbm: 'lightgbm', numpy: 'numpy', onnx: 'onnx', onnxruntime: 'onnxruntime' };

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '5' },
    batch: { type: 'string', default: '1000' },
    python: { type: 'string', default: '.venv/bin/python' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    process.stdout.write(`${JSON.stringify(await measure(folder))}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string): Promise<object> {
  const [rows, times] = [Number(values.rows), Number(values.times)];
  say(`${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}: what else runs here is measured too`);
  const python = await peer(values.python, 'score_peer.py', MODULES);
  await python(['train', folder]);
  const bytes = await readFile(join(folder, 'model.onnx'));
  const features = Array.from({ length: FEATURES }, (_, index) => `f${index}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const training = { from: '2026-01-01', to: '2026-06-30', rows: 100_000, label: 'made up' };
  const manifest = { modelId: 'model', role: 'churn-risk', sha256, features, calibrated: false, training, figures: {} };
  await writeFile(join(folder, 'model.json'), JSON.stringify(manifest));
  const reference = {
    modelId: 'model',
    endpoint: 'onnx://model.onnx',
    sha256,
    features,
    baseFolder: folder,
    threads: THREADS,
  };
  const risk = { model: await loadModel(reference), batchSize: Number(values.batch) };
  const models: ScoringModels = {
    risk,
    offers: undefined,
    cacheCounts: () => undefined,
    [Symbol.asyncDispose]: () => risk.model.close(),
  };

  await using source = await openEngine({ threads: THREADS, memoryMb: 1024, scratchFolder: folder });
  const random = features.map((name, index) => `((i * ${7919 + 2 * index} + ${index}) % 104729) / 104729e0 AS ${name}`);
  await source.run(
    `CREATE TABLE rows AS SELECT i::DOUBLE AS i, ${random.join(', ')} FROM range(${rows}) AS numbers (i)`,
  );
  const matrix = await inMemory(source, rows, features);
  await writeFile(join(folder, 'rows.f32'), matrix);

  const taken: { alone: number; stage: number; python: number }[] = [];
  let scores = new Float32Array();
  for (let round = 0; round < times; round++) {
    const [alone, made] = await scoreAlone(risk, matrix, rows);
    const stage = await scoreAsStage(source, models, rows, features, folder);
    taken.push({ alone, stage, python: Number(await python(['score', folder, String(THREADS)])) });
    scores = made;
    say(`round ${round + 1}: ${JSON.stringify(taken.at(-1))}`);
  }
  await models[Symbol.asyncDispose]();
  const [seconds, stageSeconds, pythonSeconds] = [
    median(taken.map(({ alone }) => alone)),
    median(taken.map(({ stage }) => stage)),
    median(taken.map((one) => one.python)),
  ];
  return {
    rows,
    trees: 100,
    threads: THREADS,
    seconds,
    rowsPerSecond: Math.round(rows / seconds),
    pythonSeconds,
    ratio: Math.round((seconds / pythonSeconds) * 1000) / 1000,
    stageSeconds,
    stageRowsPerSecond: Math.round(rows / stageSeconds),
    largestDifference: largestDifference(scores, await readFile(join(folder, 'scores.f32'))),
  };
}

type Source = Awaited<ReturnType<typeof openEngine>>;

/** The features as one row-major array. */
async function inMemory(source: Source, rows: number, features: readonly string[]): Promise<Float32Array> {
  const matrix = new Float32Array(rows * features.length);
  let done = 0;
  for await (const chunk of source.chunks(`SELECT ${features.join(', ')} FROM rows ORDER BY i`)) {
    for (const [place] of features.entries()) {
      const all = { start: 0, count: chunk.rowCount };
      copyDoubles(chunk, place, all, matrix, done * features.length + place, features.length);
    }
    done += chunk.rowCount;
  }
  return matrix;
}

/** Seconds that the model alone takes, as many batches at once as it likes; and the scores. */
async function scoreAlone(
  { model, batchSize }: ScoringModels['risk'],
  matrix: Float32Array,
  rows: number,
): Promise<[number, Float32Array<ArrayBuffer>]> {
  const scores = new Float32Array(rows);
  let next = 0;
  const began = performance.now();
  const work = async () => {
    while (next < rows) {
      const start = next;
      next += batchSize;
      const count = Math.min(batchSize, rows - start);
      scores.set(await model.score(matrix.subarray(start * FEATURES, (start + count) * FEATURES), count), start);
    }
  };
  await Promise.all(Array.from({ length: model.concurrency }, work));
  return [(performance.now() - began) / 1000, scores];
}

/** Seconds from the table's columns to the scores in a table. */
async function scoreAsStage(
  source: Source,
  models: ScoringModels,
  totalRows: number,
  features: readonly string[],
  scratchFolder: string,
): Promise<number> {
  await using sink = await openEngine({ threads: THREADS, memoryMb: 1024, scratchFolder });
  const began = performance.now();
  using scores = await ColumnAppender.create(sink, 'scores', SCORE_COLUMNS);
  const query = `SELECT i, ${features.join(', ')} FROM rows`;
  const quiet = { signal: new AbortController().signal, progress: () => {} };
  await scoreRows({ source, query, models, scores, totalRows, ...quiet });
  return (performance.now() - began) / 1000;
}

/** The two add up the trees in orders of their own. */
function largestDifference(ours: Float32Array, theirs: Buffer): number {
  let largest = 0;
  for (let row = 0; row < ours.length; row++) {
    largest = Math.max(largest, Math.abs((ours[row] ?? 0) - theirs.readFloatLE(4 * row)));
  }
  return largest;
}

function median(numbers: readonly number[]): number {
  return Math.round((numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? 0) * 1000) / 1000;
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
