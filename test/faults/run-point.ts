import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { converge } from './converge.ts';
import { openWorld } from './open-world.ts';
import type { Reference } from './picture.ts';
import type { Point } from './point.ts';
import { Absent } from './strike.ts';
import type { World } from './world.ts';

export interface Outcome {
  readonly result: 'converged' | 'diverged' | 'absent';
  readonly seconds: number;
  /** A line each. */
  readonly wrong: readonly string[];
}

/** The order of the operator's writes is not quite the same each time: what was missed may come the next time. */
const MOST_TRIES = 3;
const MOST_LINES = 12;

let worlds = 0;

/** Plays one point in a namespace of its own. */
export async function runPoint(
  plane: ControlPlane,
  point: Point,
  reference: Reference,
  seed: number,
): Promise<Outcome> {
  const begun = performance.now();
  const outcome = (result: Outcome['result'], wrong: readonly string[] = []): Outcome => ({
    result,
    seconds: (performance.now() - begun) / 1000,
    wrong,
  });
  for (let attempt = 1; ; attempt += 1) {
    worlds += 1;
    const namespace = `point-${worlds}`;
    try {
      const world = await openWorld({ plane, namespace, seed, scenario: point.scenario, reference });
      try {
        const wrong = await play(world, point);
        if (wrong.length === 0) return outcome('converged');
        return outcome('diverged', [...wrong.slice(0, MOST_LINES), ...(await logs(world))]);
      } finally {
        await world.close();
      }
    } catch (error) {
      if (!(error instanceof Absent)) return outcome('diverged', [String(error)]);
      if (attempt === MOST_TRIES) return outcome('absent', [error.message]);
    }
  }
}

async function play(world: World, point: Point): Promise<readonly string[]> {
  try {
    const besides = await point.play(world);
    const wrong = await converge(world);
    return [...wrong, ...(besides?.() ?? [])];
  } catch (error) {
    if (error instanceof Absent) throw error;
    return [String(error)];
  }
}

/** The last words of each operator. */
async function logs({ plane, namespace, replicas }: World): Promise<readonly string[]> {
  const files = replicas.map(async ({ name }) => {
    const log = await readFile(join(plane.folder, namespace, `${name}.log`), 'utf8').catch(() => '');
    return log
      .trimEnd()
      .split('\n')
      .slice(-MOST_LINES)
      .map((line) => `${name}: ${line}`);
  });
  return (await Promise.all(files)).flat();
}
