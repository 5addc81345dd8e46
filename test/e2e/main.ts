import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildImage } from '../cluster/image.ts';
import { obstacle } from '../cluster/obstacle.ts';

/**
 * npm run e2e -- [--only TEXT] [--keep]: the program on a cluster with a real node, scenario by scenario. The last line is
 * "N passed, N failed".
 *
 * --only TEXT   of the scenarios those whose sentence has the text
 * --keep        leaves the cluster up at the end, until Ctrl-C
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, keep: { type: 'boolean', default: false } } });
  if (process.env['HOLDFAST_NAMESPACE_FOLDER'] !== undefined) {
    const { runScenarios } = await import('./run-scenarios.ts');
    return await runScenarios(values);
  }
  const reason = await obstacle({ image: true });
  if (reason !== undefined) {
    console.log(`the end-to-end tests cannot run here: ${reason}`);
    if (process.env['HOLDFAST_REQUIRE_CLUSTER'] === '1') {
      console.log('0 passed, 1 failed');
      return 1;
    }
    console.log('0 passed, 0 failed, 1 skipped');
    return 0;
  }
  const began = performance.now();
  // Built out here, where packages can be fetched; the cluster's network leads nowhere.
  const image = await buildImage();
  const megabytes = (image.unpackedBytes / 1e6).toFixed(0);
  console.log(`image ${image.reference}: ${megabytes} MB, ${seconds(began)}`);
  const enter = join(import.meta.dirname, '..', 'cluster', 'enter.ts');
  const self = [process.execPath, import.meta.filename, ...process.argv.slice(2)];
  const child = spawn(process.execPath, [enter, ...self], {
    stdio: 'inherit',
    env: { ...process.env, HOLDFAST_E2E_IMAGE: JSON.stringify(image) },
  });
  // A terminal's Ctrl-C reaches it by itself.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

// A scenario that was interrupted may still wait for something.
process.exit(
  await main().catch((error: unknown) => {
    console.log(error);
    console.log('0 passed, 1 failed');
    return 1;
  }),
);
