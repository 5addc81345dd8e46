import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { compileOperator } from './compiled.ts';
import { makeCrowd } from './crowd.ts';
import { brokenPromises, type Figures, table } from './figures.ts';
import { measureFootprint, untilLeading } from './footprint.ts';
import { residentMb } from './health.ts';
import { measureFailover } from './measure-failover.ts';
import { measureNeighbour, NOISY } from './measure-neighbour.ts';
import { measureTransitions } from './measure-transitions.ts';
import { measureScheduledWrites, measureWritesByHand } from './measure-writes.ts';
import { NAMESPACE, openShop } from './shop.ts';

const HELP = `Usage: npm run bench:operator [-- --quick]

Measures the operator, as compiled JavaScript and a process of its own, against a real etcd and API server on which a
script plays the kubelet: how long it takes from one task to the next, also beside a noisy neighbour, what it writes, how another replica takes over,
how fast it starts and how large it is. Progress and a table go to stderr, the figures as one line of JSON to stdout.
Ends with status 1 when a promise is broken.

  --quick   fewer of everything: a minute instead of five
  --help    this
`;

const FULL = {
  alone: 40,
  programs: 20,
  rounds: 3,
  countedRuns: 5,
  failovers: 5,
  starts: 5,
  crowd: { programs: 100, runs: 500 },
  noise: { large: 60, small: 1_000 },
};
const QUICK: typeof FULL = {
  alone: 5,
  programs: 20,
  rounds: 1,
  countedRuns: 2,
  failovers: 1,
  starts: 1,
  crowd: { programs: 20, runs: 50 },
  noise: { large: 60, small: 200 },
};

const SOURCE_MAIN = new URL('../../operator/main.ts', import.meta.url).pathname;

async function measure(sizes: typeof FULL, everything: AsyncDisposableStack): Promise<Figures> {
  const machine = { processors: availableParallelism(), load: Math.round((loadavg()[0] ?? 0) * 10) / 10 };
  say(`${machine.processors} processors, load ${machine.load} before it begins: what else runs here is measured too`);
  say('compiling the operator, starting etcd and the API server');
  const { main } = await opened(compileOperator, everything);
  const shop = await opened(openShop, everything);
  await shop.makeProgram('idle');

  say(`starting it ${sizes.starts} times compiled and ${sizes.starts} times from its source, with one program`);
  const start = {
    compiled: await measureFootprint(sizes.starts, (n) => shop.operator(`compiled-${n}`, main)),
    source: await measureFootprint(sizes.starts, (n) => shop.operator(`source-${n}`, SOURCE_MAIN)),
  };

  say(`${sizes.countedRuns} runs at a slot: counting writes`);
  let starts = 0;
  const scheduled = await measureScheduledWrites(shop, sizes.countedRuns, async () => {
    const operator = await shop.operator(`scheduled-${(starts += 1)}`, main);
    return { [Symbol.asyncDispose]: () => operator.stop() };
  });

  const operator = await shop.operator('operator', main);
  await untilLeading(operator);
  say(`${sizes.countedRuns} runs by hand: counting writes`);
  const byHand = await measureWritesByHand(shop, sizes.countedRuns);
  say(`${sizes.alone} runs one after another, then ${sizes.rounds} of each of ${sizes.programs} programs at once`);
  const { alone, together } = await measureTransitions(shop, sizes);
  const afterRuns = await residentMb(operator);
  await operator.stop();

  say(`the leader is killed ${sizes.failovers} times`);
  const killed = await measureFailover(shop, { end: 'SIGKILL', times: sizes.failovers, main });
  say(`the leader is stopped ${sizes.failovers} times`);
  const graceful = await measureFailover(shop, { end: 'SIGTERM', times: sizes.failovers, main });

  const { crowd, noise } = sizes;
  say(`another namespace makes ${noise.large} runs of a large program and ${noise.small} of a small one`);
  const loaded = await shop.operator('neighbour', main, NAMESPACE, NOISY);
  await untilLeading(loaded);
  const neighbour = await measureNeighbour(shop, noise);
  await loaded.stop();

  say(`starting it with ${crowd.programs} programs and ${crowd.runs} old runs`);
  await makeCrowd(shop.plane, 'crowd', crowd);
  // Once to write how the programs are: what counts are the starts that find it written.
  await measureFootprint(1, () => shop.operator('crowd', main, 'crowd'));
  const crowded = await measureFootprint(sizes.starts, (n) => shop.operator(`crowd-${n}`, main, 'crowd'));

  return {
    machine,
    transition: alone,
    transitionTogether: together,
    neighbour,
    writesPerRun: Math.max(byHand.most, scheduled.most),
    writes: { byHand, scheduled },
    failoverMs: { killed, graceful },
    residentMb: start.compiled.residentMb,
    startMs: start.compiled.leadingMs,
    footprint: { ...start, afterRunsMb: afterRuns, crowd: { ...crowd, ...crowded } },
  };
}

/** What is opened, to be closed with everything, also when that comes while it is being opened. */
async function opened<T extends AsyncDisposable>(open: () => Promise<T>, everything: AsyncDisposableStack): Promise<T> {
  if (everything.disposed) throw new Error('it is over');
  const opening = open();
  everything.defer(() =>
    opening.then(
      (one) => one[Symbol.asyncDispose](),
      () => {},
    ),
  );
  return await opening;
}

/** Rejects when somebody wants this to end. */
function interruption(): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    }
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help === true) {
  process.stdout.write(HELP);
} else {
  await using everything = new AsyncDisposableStack();
  const figures = await Promise.race([measure(values.quick === true ? QUICK : FULL, everything), interruption()]);
  say(`\n${table(figures)}\n`);
  const broken = brokenPromises(figures);
  for (const sentence of broken) say(sentence);
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
