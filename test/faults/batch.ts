import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openLaptopLane } from './batch/laptop-lane.ts';
import { type Point, pointsOf } from './batch/points.ts';
import { type Calm, openServerLane } from './batch/server-lane.ts';
import { openShop } from './batch/shop.ts';
import { seeded } from './random.ts';

const HELP = `Proves that whatever is killed while a batch runs, readers see the old batch or the new one, whole.

  npm run faults:batch -- [--seed N] [--points N] [--only TEXT]… [--lanes N] [--list]

Runs the real command against a real Postgres, with a proxy in between that knows each statement, and kills one or the
other just before or after the statement that was chosen: the postmaster, a backend, the connection, Holdfast itself.
One point in five is about the embedded Postgres of a laptop. All the while a reader looks at the current batch. After
each point the same command must run to its end, with the batch that a run makes which nobody disturbed.

  --seed N     picks statements, moments and ways to die; default: a new one each time
  --points N   how many; default 50
  --only TEXT  only points whose name has the text; may be given several times
  --lanes N    servers at once; default 2
  --list       names the points and plays none

The last line is JSON: {"points","right","wrong","seed","seconds"}. The exit status is 1 when any was wrong.
`;

const options = readOptions();
if (options.help) process.stdout.write(HELP);
else process.exitCode = await main();

function readOptions() {
  try {
    return parseArgs({
      options: {
        seed: { type: 'string' },
        points: { type: 'string', default: '50' },
        only: { type: 'string', multiple: true },
        lanes: { type: 'string', default: '2' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

async function main(): Promise<number> {
  const seed = wholeNumber('seed', options.seed ?? String(Math.floor(Math.random() * 2 ** 31)));
  const count = wholeNumber('points', options.points);
  const lanes = Math.max(1, wholeNumber('lanes', options.lanes));
  const begun = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'hf-faults-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stack.disposeAsync().then(() => process.exit(130)));
  }
  say(`seed ${seed}`);
  const shop = stack.use(await openShop(new Date()));
  const servers = await Promise.all(
    Array.from({ length: lanes }, async (_, index) => stack.use(await openServerLane(shop, join(folder, `${index}`)))),
  );
  const laptop = stack.use(await openLaptopLane(shop, join(folder, 'laptop')));
  // One after the other: the moments on a laptop are shares of the time that this takes.
  const calms: Calm[] = [];
  for (const server of servers) calms.push(await server.calm());
  const [calm] = calms;
  if (calm === undefined) throw new Error('there is no lane');
  const points = pointsOf(count, calm, seeded(seed)).filter(({ name }) => isWanted(name));
  if (options.list) {
    for (const { name } of points) say(name);
    return 0;
  }
  const laptopCalm = points.some(({ where }) => where === 'laptop') ? await laptop.calm() : undefined;
  let right = 0;
  const settle = async (name: string, play: () => Promise<string[]>) => {
    const started = performance.now();
    const wrong = await play().catch((error: unknown) => [String(error)]);
    if (wrong.length === 0) right += 1;
    const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
    say(`${wrong.length === 0 ? 'right' : 'wrong'} ${seconds} s  ${name}`);
    for (const line of wrong) say(`    ${line}`);
  };
  const waiting = [...points];
  let laptopIsFree = true;
  const take = (): Point | undefined => {
    const index = waiting.findIndex(({ where }) => where === 'server' || laptopIsFree);
    const [point] = index < 0 ? [] : waiting.splice(index, 1);
    if (point?.where === 'laptop') laptopIsFree = false;
    return point;
  };
  const work = async (lane: number) => {
    for (let point = take(); point !== undefined; point = take()) {
      const { name } = point;
      if (point.where === 'server') {
        const [server, reference] = [servers[lane], calms[lane]];
        if (server === undefined || reference === undefined) return;
        await settle(name, () => server.play(point.point, reference));
      } else if (laptopCalm !== undefined) {
        await settle(name, () => laptop.play(point.point, laptopCalm));
        laptopIsFree = true;
      }
    }
  };
  await Promise.all(servers.map((_, lane) => work(lane)));
  const seconds = Math.round((performance.now() - begun) / 1000);
  await stack.disposeAsync();
  say(JSON.stringify({ points: points.length, right, wrong: points.length - right, seed, seconds }));
  return right === points.length && right > 0 ? 0 : 1;
}

function isWanted(name: string): boolean {
  return options.only === undefined || options.only.some((text) => name.includes(text));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  return refuse(`--${name} ${text}: expected a whole number`);
}
