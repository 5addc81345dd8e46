import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Database } from '../../database/client/database.ts';
import { keepScores, readCachedScores } from '../../database/scores/cached-scores.ts';
import { cachedModel } from '../../providers/models/cached.ts';
import { loadModel } from '../../providers/models/index.ts';
import type { Model } from '../../providers/models/model.ts';
import type { ScoreCache } from '../../providers/models/score-cache.ts';
import { seeded } from '../faults/random.ts';
import { openPostgres } from '../support/postgres.ts';

/*
 * What the score cache is worth: rows a second of a model in this process, of look-ups in the cache alone, and of the same
 * model behind two servers, each in a process of its own: one that answers a batch at once, after the way there and back,
 * and one that takes its time for each row, as large models do. Without the cache, and with it when nothing, half or all is
 * known.
 *
 *   npm run bench:score-cache [-- --rows 100000]
 */
const { values } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } });
const MOST_ROWS = Number(values.rows);
const BATCH_ROWS = 1000;
const SERVERS = [
  { name: 'fast', latencyMs: 20, rowMs: 0, rows: MOST_ROWS },
  { name: 'slow', latencyMs: 20, rowMs: 1, rows: Math.ceil(MOST_ROWS / 10) },
] as const;
const MODELS = join(import.meta.dirname, '../../examples/models');
const ID = 'churn-risk-v6';

interface Manifest {
  readonly sha256: string;
  readonly features: readonly string[];
}

async function main(): Promise<void> {
  const text = await readFile(join(MODELS, `${ID}.json`), 'utf8');
  const { sha256, features } = JSON.parse(text) as Manifest;
  const rows = madeUp(features.length);
  const local = await loadModel({
    modelId: ID,
    endpoint: `onnx://${ID}.onnx`,
    sha256,
    features,
    baseFolder: MODELS,
    threads: 2,
  });
  const inProcess = await rowsPerSecond(local, rows);
  await local.close();
  const figures = [];
  for (const server of SERVERS)
    figures.push(await measure(server, text, rows.subarray(0, server.rows * features.length)));
  const load = loadavg()[0] ?? 0;
  const machine = { processors: availableParallelism(), load: Number(load.toFixed(1)) };
  process.stdout.write(`${JSON.stringify({ machine, inProcess: { rowsPerSecond: inProcess }, remote: figures })}\n`);
}

async function measure({ name, latencyMs, rowMs }: (typeof SERVERS)[number], text: string, rows: Float32Array) {
  const { features } = JSON.parse(text) as Manifest;
  const width = features.length;
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-score-cache-'));
  await using postgres = await openPostgres();
  const program = join(import.meta.dirname, 'inference-process.ts');
  const options = [join(MODELS, `${ID}.onnx`), width, latencyMs, rowMs].map(String);
  const server = spawn(process.execPath, [program, ...options], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(server.stdout, 'data')) as [Buffer];
    await writeFile(join(folder, 'remote.json'), text);
    const remote = await loadModel({
      modelId: ID,
      endpoint: line.toString().trim(),
      manifest: 'remote.json',
      sha256: createHash('sha256').update(text).digest('hex'),
      features,
      baseFolder: folder,
      threads: 2,
      batchSize: BATCH_ROWS,
    });
    const cached = () => withCache(remote, postgres.database);
    const uncached = await rowsPerSecond(remote, rows);
    const nothingKnown = await rowsPerSecond(cached(), rows);
    await postgres.database.pool.query('VACUUM ANALYZE holdfast.score_cache');
    const [half, all] = [cached(), cached()];
    const halfKnown = await rowsPerSecond(half, halfChanged(rows, width));
    const allKnown = await rowsPerSecond(all, rows);
    const count = rows.length / width;
    return {
      server: name,
      latencyMs,
      rowMs,
      rows: count,
      rowsPerSecond: { uncached, nothingKnown, halfKnown, allKnown },
      hitRate: { halfKnown: half.counts().hits / count, allKnown: all.counts().hits / count },
      cacheBytesPerRow: Math.round((await cacheBytes(postgres.database)) / (1.5 * count)),
    };
  } finally {
    server.stdin.end();
    await once(server, 'exit');
    await rm(folder, { recursive: true });
  }
}

function madeUp(width: number): Float32Array {
  const { next } = seeded(1);
  return Float32Array.from({ length: MOST_ROWS * width }, () => Math.fround(next() * 10));
}

/** Every other row is new. */
function halfChanged(rows: Float32Array, width: number): Float32Array {
  return rows.map((value, index) => (Math.floor(index / width) % 2 === 0 ? value : value + 0.5));
}

function withCache(model: Model, database: Database) {
  const { remote } = model;
  if (remote === undefined) throw new Error('the model is not remote');
  const cache: ScoreCache = {
    get: (keys) => readCachedScores(database, keys),
    put: (entries, hours) => keepScores(database, entries, hours),
  };
  return cachedModel({ ...model, remote }, { cache, ttlHours: 1, readOnly: false });
}

/** In calls of as many rows as the stage hands over at a time. */
async function rowsPerSecond(model: Model, rows: Float32Array): Promise<number> {
  const width = model.manifest.features.length;
  const total = rows.length / width;
  const block = BATCH_ROWS * (model.remote?.requestsAtOnce ?? 1);
  const began = performance.now();
  for (let start = 0; start < total; start += block) {
    const count = Math.min(block, total - start);
    await model.score(rows.subarray(start * width, (start + count) * width), count);
  }
  return Math.round(total / ((performance.now() - began) / 1000));
}

async function cacheBytes(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ bytes: string }>(
    `SELECT pg_total_relation_size('holdfast.score_cache') AS bytes`,
  );
  return Number(rows[0]?.bytes);
}

await main();
