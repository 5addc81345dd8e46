import { parseArgs } from 'node:util';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from '../cluster/control-plane.ts';
import { WITH_CAMPAIGN } from '../support/pipelines.ts';
import type { Reference } from './picture.ts';
import type { Point } from './point.ts';
import { allPoints } from './points/index.ts';
import { seeded, seedOf } from './random.ts';
import { observe } from './reference.ts';
import { type Outcome, runPoint } from './run-point.ts';

const HELP = `Proves that no crash, lost event or stale read makes the operator wrong.

  npm run faults:operator -- [--seed N] [--only TEXT]… [--lanes N] [--list]

Runs the operator against a real API server, with a proxy in between and a scripted kubelet, once undisturbed and then
once for each point at which something goes wrong. Every point must come to the state of the undisturbed run.

  --seed N     picks which events, writes and moments are hit; default: a new one each time
  --only TEXT  only points whose name has the text; may be given several times
  --lanes N    points at once, besides three that mostly wait; default 4
  --list       names the points and runs none

The last line is JSON: {"points","converged","diverged","absent","seed","seconds"}. A point is absent when what it was to
hit did not come in any of its tries, and counts as none. The exit status is 1 when any diverged.
`;

/** Nothing but what a point says happens; programs may have pipelines that are there for this alone. */
const PLANE: ControlPlaneOptions = { controllerManager: false, pipelines: WITH_CAMPAIGN };

const WAITING_LANES = 3;

const options = readOptions();

if (options.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
process.exitCode = await main();

function readOptions() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        only: { type: 'string', multiple: true },
        lanes: { type: 'string', default: '4' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

async function main(): Promise<number> {
  const seed = wholeNumber('seed', options.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const lanes = wholeNumber('lanes', options.lanes);
  const begun = performance.now();
  const planes: ControlPlane[] = [];
  const stop = async () => {
    await Promise.all(planes.splice(0).map((plane) => plane.stop()));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(130)));
  }
  try {
    const plane = await startControlPlane(PLANE);
    planes.push(plane);
    say(`seed ${seed}`);
    const observed = await observe(plane, seed);
    const points = allPoints(observed, seeded(seed)).filter(({ name }) => isWanted(name));
    if (options.list) {
      for (const { name } of points) say(name);
      return 0;
    }
    const count = { converged: 0, diverged: 0, absent: 0 };
    const work = async (queue: Point[], on: ControlPlane): Promise<void> => {
      for (let point = queue.shift(); point !== undefined; point = queue.shift()) {
        const reference = observed.references.get(point.scenario.name) as Reference;
        const outcome = await runPoint(on, point, reference, seedOf(seed, point.name));
        count[outcome.result] += 1;
        tell(point, outcome);
      }
    };
    const alone = points.filter(({ alone }) => alone);
    const waiting = points.filter(({ alone: lone, long }) => !lone && long);
    const busy = points.filter(({ alone: lone, long }) => !lone && !long);
    const loneLane = async () => {
      if (alone.length === 0) return;
      const own = await startControlPlane(PLANE);
      planes.push(own);
      await work(alone, own);
    };
    // What mostly waits does so beside what keeps the machine busy.
    const busyLane = async () => {
      await work(busy, plane);
      await work(waiting, plane);
    };
    await Promise.all([
      loneLane(),
      ...Array.from({ length: WAITING_LANES }, () => work(waiting, plane)),
      ...Array.from({ length: lanes }, busyLane),
    ]);
    const { converged, diverged, absent } = count;
    const seconds = Math.round((performance.now() - begun) / 1000);
    await stop();
    say(JSON.stringify({ points: converged + diverged, converged, diverged, absent, seed, seconds }));
    return diverged === 0 && converged > 0 ? 0 : 1;
  } finally {
    await stop();
  }
}

function isWanted(name: string): boolean {
  return options.only === undefined || options.only.some((text) => name.includes(text));
}

function tell({ name }: Point, { result, seconds, wrong }: Outcome): void {
  say(`${result.padEnd(9)} ${seconds.toFixed(1).padStart(5)} s  ${name}`);
  for (const line of wrong) say(`    ${line}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  return refuse(`--${name} ${text}: expected a whole number`);
}
