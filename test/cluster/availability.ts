import { test } from '@jest/globals';
import { BinariesMissing, CONTROL_PLANE, findBinaries } from './binaries.ts';
import type { ProgramName } from './programs.ts';

/**
 * `test`, or, where this machine has no way to a control plane, `test.skip` and a word about it; with
 * HOLDFAST_REQUIRE_CLUSTER=1, which `.ci/run` sets wherever there is a way, nothing is skipped. The first call on a machine may build for some minutes: await it at the top of a
 * test file, where no time limit runs.
 * @param besides further programs that the tests need
 */
export async function testOnControlPlane(
  besides: readonly ProgramName[] = [],
): Promise<typeof test | typeof test.skip> {
  try {
    await findBinaries([...CONTROL_PLANE, ...besides]);
    return test;
  } catch (error) {
    if (!(error instanceof BinariesMissing) || process.env['HOLDFAST_REQUIRE_CLUSTER'] === '1') throw error;
    process.stderr.write(`skipped: ${error.message}\n`);
    return test.skip;
  }
}
