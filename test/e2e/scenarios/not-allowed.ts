import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EXAMPLE, smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { openReadyTenant } from '../tenant.ts';
import { RELEASE, SYSTEM } from '../world.ts';

export const notAllowed: Scenario = {
  name: 'a Secret that programs may not use, or that their writer may not get, is refused where kubectl is, by its name',
  async run(world) {
    const tenant = await openReadyTenant(world, 'broken');
    const keeping = (name: string) =>
      smallProgram('greedy', { storage: { postgres: { secretRef: { name, key: 'url' } } } });
    await assert.rejects(tenant.apply(keeping('billing')), /the Secret billing is not one that programs may use/);

    // Who may write programs, and read no Secret.
    const edit = `--clusterrole=${SYSTEM}:${RELEASE}:edit`;
    await tenant.kubectl('create', 'rolebinding', 'ann', edit, '--user=ann');
    const file = join(world.cluster.folder, 'greedy.json');
    await writeFile(file, JSON.stringify(keeping('holdfast-postgres-greedy')));
    const create = (...args: string[]) => tenant.kubectl('create', '--dry-run=server', '-f', ...args);
    await assert.rejects(create(file, '--as=ann'), /ann may not get the Secret holdfast-postgres-greedy/);
    await create(EXAMPLE, '--as=ann');
    await create(file);
  },
};
