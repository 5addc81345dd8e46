import { type Distribution, distribution } from './percentiles.ts';
import type { Shop } from './shop.ts';

/** How long it takes from one task to the next, with one run at a time and with many at once. */
export interface Transitions {
  readonly alone: Distribution;
  readonly together: Distribution & { readonly programs: number };
}

export interface TransitionSizes {
  /** Runs one after another. */
  readonly alone: number;
  /** Programs that run at once, and how often each. */
  readonly programs: number;
  readonly rounds: number;
}

/**
 * When many run at once, a task takes so long; real ones take longer. If it took no time, what is measured would be how
 * long an API server on few processors takes to work through all that a kubelet can send it.
 */
const TASK_MS = 1_000;

/** An operator leads; it is the only one. */
export async function measureTransitions(shop: Shop, sizes: TransitionSizes): Promise<Transitions> {
  const alone = await chain(shop, 'alone', sizes.alone);
  const names = Array.from({ length: sizes.programs }, (_, index) => `together-${index + 1}`);
  shop.runFor(TASK_MS);
  const together = await Promise.all(names.map((name) => chain(shop, name, sizes.rounds)));
  shop.runFor(0);
  return {
    alone: distribution(shop.times.transitions(alone)),
    together: {
      programs: sizes.programs,
      ...distribution(shop.times.transitions(new Set(together.flatMap((one) => [...one])))),
    },
  };
}

/** Runs of one program, one after another; resolves to their names. */
async function chain(shop: Shop, program: string, runs: number): Promise<ReadonlySet<string>> {
  await shop.makeProgram(program);
  const names = Array.from({ length: runs }, (_, index) => `${program}-${index + 1}`);
  for (const name of names) {
    await shop.makeRun(program, name);
    await shop.succeeded(name);
  }
  return new Set(names);
}
