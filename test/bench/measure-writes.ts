import { setTimeout as pause } from 'node:timers/promises';
import { rfc3339 } from '../../base/instant.ts';
import type { ProgramObject } from '../../operator/kube/objects.ts';
import { ownerReference } from '../../operator/objects/owner.ts';
import { pipelineStatusOf } from '../support/program.ts';
import { dailyAt, NEWEST_SLOT, type Shop } from './shop.ts';
import { tally, type Write, writesFor } from './writes.ts';

/** What one run costs the API server. */
export interface Writes {
  /** Of the run that took most. */
  readonly most: number;
  readonly least: number;
  readonly runs: number;
  /** Of the run that took most: how many of which kind. */
  readonly tally: string;
}

/** Without a write for so long, the operator is taken to be done. */
const QUIET_MS = 1_500;

const DAY_MS = 24 * 3_600_000;

/** Runs that people make, of programs that have not run before. */
export async function measureWritesByHand(shop: Shop, count: number): Promise<Writes> {
  const names = Array.from({ length: count }, (_, index) => `by-hand-${index + 1}`);
  for (const name of names) await shop.makeProgram(name);
  const before = await whenQuiet(shop);
  for (const name of names) await shop.makeRun(name, `${name}-run`);
  for (const name of names) await shop.succeeded(`${name}-run`);
  return summary(names, (await whenQuiet(shop)).slice(before.length));
}

/**
 * Runs that the operator makes at a slot, each of a program that has not changed since its last run and has its history
 * full: so it also makes the run, says so in an event, and deletes the oldest. No operator runs yet; `start` starts one, and is called twice.
 */
export async function measureScheduledWrites(
  shop: Shop,
  count: number,
  start: () => Promise<AsyncDisposable>,
): Promise<Writes> {
  const slot = (daysAgo: number) => rfc3339(new Date(NEWEST_SLOT.getTime() - daysAgo * DAY_MS));
  const names = Array.from({ length: count }, (_, index) => `scheduled-${index + 1}`);
  for (const name of names) {
    const program = await shop.makeProgram(name, { runHistory: { successful: 3, failed: 3 } });
    for (const daysAgo of [4, 3, 2]) await pastRun(shop, program, `${name}-${daysAgo}`, slot(daysAgo));
  }
  {
    // It says how the programs are, and a run leaves the revision that the next one finds. The slot of today was before
    // they were made, so it is not due.
    await using _ = await start();
    for (const name of names) await shop.makeRun(name, `${name}-run`);
    for (const name of names) await shop.succeeded(`${name}-run`);
    await whenQuiet(shop);
  }
  for (const name of names) {
    // Now it is: as if the programs were older, and no operator had run since yesterday.
    const progress = { schedule: `${dailyAt(NEWEST_SLOT)} UTC`, since: slot(5), lastSlot: slot(1) };
    const batch = { name: 'batch', ...progress, lastSucceededSlot: slot(2), nextSlot: slot(0) };
    await shop.setStatus('retentionprograms', name, { pipelines: [batch] });
  }
  const before = await shop.writes();
  await using _ = await start();
  const phase = (name: string) => {
    const last = pipelineStatusOf(shop.programs.get(name))?.lastRun;
    return last?.slot === slot(0) ? last.phase : undefined;
  };
  for (const name of names) {
    await shop.programs.until(`the program ${name} says how its run ended`, () => phase(name) === 'Succeeded');
  }
  return summary(names, (await whenQuiet(shop)).slice(before.length));
}

async function pastRun(shop: Shop, program: ProgramObject, name: string, slot: string): Promise<void> {
  const { name: programName } = program.metadata;
  const ownerReferences = [ownerReference(program)];
  await shop.makeRun(programName, name, { trigger: 'schedule', slot }, { ownerReferences });
  const times = { slot, startTime: slot, completionTime: slot };
  await shop.setStatus('retentionruns', name, { phase: 'Succeeded', observedGeneration: 1, ...times });
}

function summary(programs: readonly string[], writes: readonly Write[]): Writes {
  const each = programs.map((name) => writesFor(name, writes)).toSorted((one, other) => one.length - other.length);
  const [least] = each;
  const most = each.at(-1);
  if (least === undefined || most === undefined) throw new Error('nothing was counted');
  return { most: most.length, least: least.length, runs: each.length, tally: tally(most) };
}

/** Every write so far, once there are no more. */
async function whenQuiet(shop: Shop): Promise<readonly Write[]> {
  for (let before = -1; ; ) {
    const writes = await shop.writes();
    if (writes.length === before) return writes;
    before = writes.length;
    await pause(QUIET_MS);
  }
}
