import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { RunContext } from '../../jobs/run/stage.ts';
import { sampleWarehouse } from '../../providers/warehouses/duckdb/sample-file.ts';
import type { Progress, Step } from '../terminal/progress.ts';

/** Makes the sample warehouses that the program reads: a step of its own, so that the stages' times are theirs. */
export async function makeSamples(
  run: RunContext<RetentionProgramSpec>,
  sampleFolder: string,
  progress: Progress,
): Promise<void> {
  const { connectors, scratchFolder, resources, signal } = run;
  for (const { connectorId, config } of run.spec.dataConnectors) {
    if (config.sample === undefined || connectors.sources[connectorId] !== undefined) continue;
    let step: Step | undefined;
    await sampleWarehouse(config.sample, {
      sampleFolder,
      sampleCustomers: connectors.sampleCustomers,
      asOf: run.identity.slot,
      scratchFolder,
      resources,
      signal,
      progress: (done, total) => {
        step ??= progress.step('sample');
        step.advance(done, total);
      },
    });
    step?.done(0, 0);
  }
}
