import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WarehouseOptions } from '../connector.ts';
import type { DuckdbConnector } from './parameters.ts';

type Sample = NonNullable<DuckdbConnector['config']['sample']>;

/** Grows with every change of the generator, so that a file made by an earlier one is not taken for its own. */
const GENERATION = 3;

type SampleOptions = Pick<
  WarehouseOptions,
  'sampleFolder' | 'sampleCustomers' | 'asOf' | 'scratchFolder' | 'resources' | 'signal' | 'progress'
>;

/**
 * Path of the sample warehouse as of an instant, made first unless it is there.
 * @throws HF_DISK_FULL, HF_INTERRUPTED
 */
export async function sampleWarehouse(sample: Sample, options: SampleOptions): Promise<string> {
  const { sampleFolder, asOf, scratchFolder, resources, signal, progress } = options;
  const customers = options.sampleCustomers ?? sample.customers;
  const instant = asOf
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  const file = join(sampleFolder, `sample-${GENERATION}-${customers}-${sample.seed}-${instant}.duckdb`);
  const { makeSampleWarehouse, truthOf } = await import('../sample/sample.ts');
  if (existsSync(file) && existsSync(truthOf(file))) return file;
  await mkdir(sampleFolder, { recursive: true });
  progress?.(0, customers);
  const limits = { ...resources, scratchFolder, signal, ...(progress === undefined ? {} : { progress }) };
  await makeSampleWarehouse({ file, customers, seed: sample.seed, asOf, kept: 'mart', ...limits });
  return file;
}
