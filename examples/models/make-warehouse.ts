import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeSampleWarehouse } from '../../providers/warehouses/sample/sample.ts';

/**
 * node examples/models/make-warehouse.ts OUT.duckdb --customers 100000 --seed 7 --as-of 2026-11-23T02:00:00Z
 *
 * The whole history, which models are trained on; with --mart only what a program reads, as `holdfast run` makes it.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    customers: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '7' },
    mart: { type: 'boolean', default: false },
    'as-of': { type: 'string', default: '2026-11-23T02:00:00Z' },
    threads: { type: 'string', default: '2' },
    'memory-mb': { type: 'string', default: '2048' },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error('Name the file to make: node examples/models/make-warehouse.ts OUT.duckdb');

const scratchFolder = await mkdtemp(join(tmpdir(), 'holdfast-sample-'));
try {
  await makeSampleWarehouse({
    file,
    customers: Number(values.customers),
    seed: Number(values.seed),
    asOf: new Date(values['as-of']),
    kept: values.mart ? 'mart' : 'history',
    threads: Number(values.threads),
    memoryMb: Number(values['memory-mb']),
    scratchFolder,
    progress: (done, total) => process.stderr.write(`${done} of ${total}\n`),
  });
} finally {
  await rm(scratchFolder, { recursive: true, force: true });
}
