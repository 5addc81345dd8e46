import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import type { Scenario } from '../scenario.ts';
import { conditionOf, openBareTenant } from '../tenant.ts';
import { SYSTEM } from '../world.ts';
import { readerOf } from './install.ts';

const OPERATIONS = 'docs/guides/operations.md';
const GITOPS = 'docs/guides/gitops.md';

export const reinstalled: Scenario = {
  name: 'installed anew under another name, as the guide prints it, programs go on, and one of init runs from what Git brings',
  async run(world) {
    const reader = await readerOf(world);
    const shop = await openBareTenant(world, 'shop');
    await reader.types(OPERATIONS, 'reinstall');
    const lease = await until(
      'a replica of the new release leads',
      () => world.get(`/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/keep-holdfast`),
      (seen) => Boolean(seen?.spec.holderIdentity),
    );
    assert.equal(lease.metadata.ownerReferences[0].name, 'keep-holdfast');
    // Of a program of before: that the new operator looks at it is enough here, and takes no minute.
    await shop.makeRun('anew', 'churn-prevention', { suspend: true });
    await until(
      'a run of a program that was there is looked at',
      () => shop.run('anew'),
      (seen) => seen.status?.phase !== undefined,
    );

    await writeFile(join(reader.folder, 'customers.csv'), customers(600));
    await reader.types(GITOPS, 'gitops');
    await shop.makeRun('by-git', 'customers-retention');
    const run = await shop.ended('by-git');
    assert.equal(run.status?.phase, 'Succeeded', JSON.stringify(conditionOf(run, 'Failed')));
    await shop.giveVolume('holdfast-files');
    await reader.types(GITOPS, 'files-on-a-claim');
  },
};

export const backedUp: Scenario = {
  name: 'the claim is backed up and brought back, and at the end programs and runs are removed, as the guide prints it',
  async run(world) {
    const reader = await readerOf(world);
    await reader.types(OPERATIONS, 'claim-backup');
    await reader.types(OPERATIONS, 'claim-restore');
    await reader.types(OPERATIONS, 'remove-all');
    const shop = await openBareTenant(world, 'shop');
    await until(
      'no Job of a run is left',
      () => world.get(`/apis/batch/v1/namespaces/${shop.namespace}/jobs`),
      ({ items }) => items.length === 0,
    );
  },
};

/** A file as a shop has it: those who have not come for long have left more often. */
function customers(count: number): string {
  const rows = Array.from({ length: count }, (_, index) => {
    const days = (index * 37) % 120;
    const spent = 20 + ((index * 53) % 900);
    const left = days + ((index * 71) % 60) > 110 ? 'Yes' : 'No';
    return `C${String(index).padStart(4, '0')},${days},${spent},${1 + (index % 7)},${left}`;
  });
  return `customer_id,days_since_last_login,lifetime_value,support_tickets,churned\n${rows.join('\n')}\n`;
}
