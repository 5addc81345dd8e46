import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { loadManifestFile, type RetentionProgramSpec, validateManifest } from '../../crds/index.ts';
import { openBatch } from '../../test/support/batch.ts';
import { extract } from './extract.ts';
import { filter } from './filter.ts';

/** The carrier's file, which is not part of the repository. */
const CARRIER =
  process.env['HOLDFAST_SOURCE_CARRIER'] ??
  fileURLToPath(new URL('../../../shared/data/cell2cell/cell2celltrain.csv', import.meta.url));

const withData = existsSync(CARRIER) ? test : test.skip;

async function program(): Promise<RetentionProgramSpec> {
  const [document] = await loadManifestFile(fileURLToPath(new URL('../../examples/cell2cell.yaml', import.meta.url)));
  if (document === undefined) throw new Error('the manifest holds no object');
  const { resolved, faults } = validateManifest(document);
  expect(faults).toEqual([]);
  return (resolved as { spec: RetentionProgramSpec }).spec;
}

test('the manifest for the carrier is valid', async () => {
  expect(await program()).toMatchObject({ programId: 'cell2cell' });
});

withData('of 51,047 customers of a carrier none is lost, and a second run makes the same artifacts', async () => {
  await using batch = await openBatch();
  const context = batch.context(await program(), { connectors: { sources: { carrier: CARRIER } } });
  const digests = [];
  for (const run of ['first', 'second']) {
    const identity = { ...context.identity, run };
    const extracted = await extract({ ...context, identity });
    expect(extracted).toMatchObject({ rowsIn: 51_047, rowsOut: 51_047 - 76 });
    expect(extracted.counts).toMatchObject({
      rejected: 76,
      reasons: { 'days_since_last_purchase impossible date': 76 },
    });
    if (extracted.artifact === undefined) throw new Error('extract made no artifact');
    const filtered = await filter({ ...context, identity, inputs: { extract: extracted.artifact } });
    const removed = Object.values(filtered.counts['removed'] ?? {}).reduce((sum, rows) => sum + rows, 0);
    expect(filtered.rowsIn).toBe(extracted.rowsOut);
    expect(filtered.rowsOut + removed).toBe(filtered.rowsIn);
    // Neither everybody nor hardly anybody.
    expect(filtered.rowsOut / filtered.rowsIn).toBeGreaterThan(0.05);
    expect(filtered.rowsOut / filtered.rowsIn).toBeLessThan(0.3);
    digests.push([extracted.artifact.digest, filtered.artifact?.digest]);
  }
  expect(digests[1]).toEqual(digests[0]);
});
