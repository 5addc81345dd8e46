import { availableParallelism } from 'node:os';
import { openEngine } from '../../base/duckdb/engine.ts';
import { told } from '../../contract/warning.ts';
import { sampleWarehouse } from '../../providers/warehouses/duckdb/sample-file.ts';
import { truthOf } from '../../providers/warehouses/sample/sample.ts';
import { compareWithTruth } from '../../providers/warehouses/sample/scores-beside-truth.ts';
import type { LocalRun, LocalRunResult } from '../local/local-run.ts';

type Ran = Pick<LocalRun, 'spec' | 'connectors' | 'slot' | 'scratchFolder'>;

/**
 * The result of a run with, beside it, what the sample business knows of the customers that were scored. As it is
 * when the run failed, or when anything but one sample was read: of a real business nobody knows this.
 */
export async function withTruth(
  result: LocalRunResult,
  run: Ran,
  sampleFolder: string,
  signal: AbortSignal,
): Promise<LocalRunResult> {
  const [connector, ...others] = run.spec.dataConnectors;
  const { score } = result.artifacts;
  const sample = connector?.config.sample;
  if (sample === undefined || others.length > 0 || run.connectors.sources[connector?.connectorId ?? ''] !== undefined)
    return result;
  if (result.failure !== undefined || score === undefined) return result;
  const { scratchFolder } = run;
  const { sampleCustomers } = run.connectors;
  const resources = { threads: availableParallelism(), memoryMb: 512 };
  try {
    const options = { sampleFolder, sampleCustomers, asOf: run.slot, scratchFolder, resources, signal };
    const warehouse = await sampleWarehouse(sample, options);
    await using engine = await openEngine({ ...resources, scratchFolder });
    const truth = await compareWithTruth(engine, score, { warehouse, truth: truthOf(warehouse) });
    return { ...result, report: { ...result.report, truth } };
  } catch (error) {
    // The batch is published, whatever becomes of this.
    const why = error instanceof Error ? error.message : String(error);
    return {
      ...result,
      warnings: [
        ...result.warnings,
        ...told('TRUTH_NOT_COMPARED', [`The scores were not compared with the sample's truth: ${why}`]),
      ],
    };
  }
}
