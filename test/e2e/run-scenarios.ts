import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { findBinaries } from '../cluster/binaries.ts';
import type { BuiltImage } from '../cluster/image.ts';
import { startCluster } from '../cluster/one-node.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { openWorld, SYSTEM, type World } from './world.ts';

const SCENARIO_MS = 15 * 60_000;

interface Options {
  /** Of the scenarios those whose name has it. */
  readonly only?: string;
  /** Whether to leave the cluster up until somebody interrupts. */
  readonly keep: boolean;
}

/** Runs the scenarios in order over one cluster, inside of the namespaces of enter.ts. Resolves to the exit status. */
export async function runScenarios(options: Options): Promise<number> {
  const began = performance.now();
  const { passed, failed } = await inCluster(options);
  console.log(`${seconds(began)} in all`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** The cluster is gone when it resolves. */
async function inCluster(options: Options): Promise<{ readonly passed: number; readonly failed: number }> {
  const image = JSON.parse(process.env['HOLDFAST_E2E_IMAGE'] ?? '') as BuiltImage;
  const show = (text: string) => console.log(text.replaceAll(/^/gm, '    '));
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => interruption.abort());
  const interrupted = once(interruption.signal, 'abort');
  const began = performance.now();
  await using cluster = await startCluster();
  const world = await openWorld(cluster, image, show);
  console.log(`cluster with one node, image imported: ${seconds(began)}`);
  const outcomes: boolean[] = [];
  const all = async () => {
    for (const step of SCENARIOS) {
      if (interruption.signal.aborted) return;
      const chosen = step.filter(({ name, always }) => always === true || name.includes(options.only ?? ''));
      const results = chosen.map((scenario) => outcomeOf(scenario, world, interruption.signal));
      outcomes.push(...(await Promise.all(results)));
    }
  };
  const finished = await Promise.race([all().then(() => true), interrupted.then(() => false)]);
  if (finished && options.keep) {
    const { kubectl } = await findBinaries(['kubectl']);
    const enter = `nsenter --target ${process.env['HOLDFAST_NAMESPACE_PID']} --net`;
    console.log(
      `the cluster is left up until Ctrl-C:\n  ${enter} env KUBECONFIG=${cluster.plane.kubeconfig} ${kubectl} get all -A`,
    );
    await interrupted;
  }
  await world.operatorLogs.stop();
  const passed = outcomes.filter(Boolean).length;
  const failed = outcomes.length - passed + (finished ? 0 : 1);
  return { passed, failed };
}

async function outcomeOf(scenario: Scenario, world: World, interruption: AbortSignal): Promise<boolean> {
  const began = performance.now();
  try {
    await within(scenario.run(world), scenario.name);
    console.log(`passed  ${seconds(began).padStart(8)}  ${scenario.name}`);
    return true;
  } catch (error) {
    // The cluster is being taken away.
    if (interruption.aborted) return false;
    console.log(`FAILED  ${seconds(began).padStart(8)}  ${scenario.name}`);
    world.show(error instanceof Error ? (error.stack ?? error.message) : String(error));
    world.show(await situation(world));
    return false;
  }
}

/** Every wait of a scenario has an end of its own; this is for one that has not. */
async function within(running: Promise<void>, name: string): Promise<void> {
  const over = new AbortController();
  const late = pause(SCENARIO_MS, undefined, { signal: over.signal }).then(
    () => Promise.reject(new Error(`not within ${SCENARIO_MS / 1000} s: ${name}`)),
    () => {},
  );
  try {
    await Promise.race([running, late]);
  } finally {
    over.abort();
  }
}

/** What a person would look at first. */
async function situation({ cluster, operatorLogs }: World): Promise<string> {
  const ask = (...args: string[]) => cluster.kubectl(...args).catch((error: Error) => error.message);
  const events = await ask('get', 'events', '-A', '--sort-by=.metadata.creationTimestamp');
  const logs = [...operatorLogs.lines()].map(([pod, lines]) => `${pod}:\n${lines.slice(-15).join('\n')}`);
  return [
    await ask('get', 'rp,rr,jobs,pods', '-A', '-o', 'wide'),
    events.split('\n').slice(-25).join('\n'),
    await ask('get', 'pods', '--namespace', SYSTEM),
    ...logs,
  ].join('\n\n');
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
