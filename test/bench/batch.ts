import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, homedir, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { locateBinaries } from '../../database/embedded/binaries.ts';
import { type Footprint, type Watch, watchProcesses } from './batch/processes.ts';
import { AS_OF, warehouseOf } from './batch/warehouse.ts';
import { peer } from './python.ts';

const HELP = `Usage: npm run bench:batch [-- --customers 500000 --customers 5000000] [--times 3] [--peer .venv/bin/python]

Runs the example's weekly batch as a command of its own over a warehouse with customer_analytics as a table, in a new
data folder each time, and prints a line of JSON for each size: seconds from start to end of the command (the median
run's, with those of its stages and the processors' own), and the most memory that all its processes, Postgres included, took at one moment.

  --customers N      rows that the query returns (repeatable; default 500000 and 5000000)
  --times N          runs of each size (default 3)
  --shards N         as of holdfast run
  --peer PYTHON      a Python that does the same by a script (batch_peer.py), in turns with ours: ratio is ours by its seconds, cpuRatio
                     the same of the processors' time, which counts where other things run too
  --warehouses DIR   where warehouses are kept once made (default: ~/.cache/holdfast/bench)
`;

const ROOT = join(import.meta.dirname, '../..');
const MODULES = {
  duckdb: 'duckdb',
  numpy: 'numpy',
  onnxruntime: 'onnxruntime',
  pandas: 'pandas',
  psycopg: "'psycopg[binary]'",
  pyarrow: 'pyarrow',
};
const PROGRAM = join(ROOT, 'examples/churn-prevention.yaml');

interface Run extends Footprint {
  readonly seconds: number;
  readonly stages: Readonly<Record<string, number>>;
  readonly stored: number;
}

async function runOnce(warehouse: string, shards: string | undefined): Promise<Run> {
  const data = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  try {
    const options = ['--output', 'json', '--data', data, '--now', AS_OF, '--source', `customer-analytics=${warehouse}`];
    if (shards !== undefined) options.push('--shards', shards);
    const { DATABASE_URL: _ours, ...environment } = process.env;
    const began = performance.now();
    const child = spawn(join(ROOT, 'bin/holdfast'), ['run', PROGRAM, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    });
    const watch = watchProcesses(child.pid ?? 0, data);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    const seconds = (performance.now() - began) / 1000;
    const footprint = await watch.end();
    if (status !== 0) throw new Error(`the run ended with status ${status}:\n${stderr}`);
    const report = JSON.parse(stdout) as { stages: { name: string; seconds: number; rowsOut: number }[] };
    const stages = Object.fromEntries(report.stages.map(({ name, seconds: took }) => [name, took]));
    return { seconds, ...footprint, stages, stored: report.stages.at(-1)?.rowsOut ?? 0 };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function peerOf(python: string): Promise<(warehouse: string) => Promise<PeerRun>> {
  const run = await peer(python, 'batch_peer.py', MODULES);
  const programs = dirname((await locateBinaries()).initdb);
  return async (warehouse) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
    let watch: Watch | undefined;
    try {
      // Its server has a user of its own.
      await chmod(folder, 0o755);
      const started = (pid: number) => {
        watch = watchProcesses(pid, folder);
      };
      const environment = { ...process.env, TMPDIR: folder };
      const printed = await run([warehouse, join(ROOT, 'examples/models'), programs, AS_OF], { environment, started });
      const footprint = (await watch?.end()) ?? { maxPssMb: 0, cpuSeconds: 0 };
      return { ...(JSON.parse(printed) as Omit<PeerRun, keyof Footprint>), ...footprint };
    } finally {
      await watch?.end();
      await rm(folder, { recursive: true, force: true });
    }
  };
}

interface PeerRun extends Footprint {
  readonly seconds: number;
  readonly stages: Readonly<Record<string, number>>;
  readonly stored: number;
}

/** @param askPeer does the same batch of a warehouse by other means */
async function measure(
  customers: number,
  times: number,
  folder: string,
  shards: string | undefined,
  askPeer: ((warehouse: string) => Promise<PeerRun>) | undefined,
): Promise<object> {
  const warehouse = await warehouseOf(customers, folder, say);
  const runs: Run[] = [];
  const peerRuns: PeerRun[] = [];
  while (runs.length < times) {
    runs.push(await runOnce(warehouse, shards));
    say(`${customers}: ${JSON.stringify(runs.at(-1))}`);
    if (askPeer === undefined) continue;
    peerRuns.push(await askPeer(warehouse));
    say(`${customers}, peer: ${JSON.stringify(peerRuns.at(-1))}`);
  }
  const median = medianOf(runs) as Run;
  const seconds = hundredths(median.seconds);
  const cpuSeconds = hundredths(medianOf(runs, 'cpuSeconds')?.cpuSeconds ?? 0);
  const other = medianOf(peerRuns);
  const otherCpu = medianOf(peerRuns, 'cpuSeconds')?.cpuSeconds ?? 0;
  return {
    customers,
    seconds,
    ...(other === undefined
      ? {}
      : { peer: other, ratio: hundredths(seconds / other.seconds), cpuRatio: hundredths(cpuSeconds / otherCpu) }),
    cpuSeconds,
    maxPssMb: Math.max(...runs.map(({ maxPssMb }) => maxPssMb)),
    stages: median.stages,
    stored: median.stored,
    runs: times,
  };
}

function medianOf<One extends Pick<Run, 'seconds' | 'cpuSeconds'>>(
  runs: readonly One[],
  by: 'seconds' | 'cpuSeconds' = 'seconds',
): One | undefined {
  return runs.toSorted((a, b) => a[by] - b[by])[Math.floor((runs.length - 1) / 2)];
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

const { values } = parseArgs({
  options: {
    customers: { type: 'string', multiple: true, default: ['500000', '5000000'] },
    times: { type: 'string', default: '3' },
    shards: { type: 'string' },
    peer: { type: 'string' },
    warehouses: { type: 'string', default: join(homedir(), '.cache/holdfast/bench') },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
} else {
  say(`${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}: what else runs here is measured too`);
  const askPeer = values.peer === undefined ? undefined : await peerOf(values.peer);
  for (const customers of values.customers.map(Number)) {
    const line = await measure(customers, Number(values.times), values.warehouses, values.shards, askPeer);
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
