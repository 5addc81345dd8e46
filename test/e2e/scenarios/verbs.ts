import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandLine } from '../command-line.ts';
import { installGates } from '../gate.ts';
import { smallProgram } from '../program.ts';
import type { Scenario } from '../scenario.ts';
import { assertOneJobPerTask } from '../storm.ts';
import { openReadyTenant, type Tenant } from '../tenant.ts';
import { ROOT } from '../world.ts';

const NAMESPACE = 'verbs';

export const retried: Scenario = {
  name: 'a run whose model is missing is retried by command once it is there, from what it had committed, byte for byte',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const files = await tenant.giveClaim('holdfast-files');
    const holdfast = commandLine(world, NAMESPACE);
    await tenant.apply(smallProgram('mended', { storage: { files: { claimName: 'holdfast-files' } } }));
    const first = await holdfast('trigger', 'mended', '--wait', '-o', 'json');
    const { run: failed, stages } = JSON.parse(first.stdout);
    assert.equal(first.status, 1, first.stdout + first.stderr);
    assert.deepEqual(
      stages.map(({ name, phase }: { name: string; phase: string }) => `${name} ${phase}`),
      ['extract Succeeded', 'filter Succeeded', 'score Failed', 'offer Pending', 'store Pending'],
    );

    await cp(join(ROOT, 'examples', 'models'), join(files, 'models'), { recursive: true });
    const again = await holdfast('retry', failed, '--wait', '-o', 'json');
    assert.equal(again.status, 0, again.stdout + again.stderr);
    const { run: retry } = JSON.parse(again.stdout);
    assert.equal((await tenant.run(retry)).spec.retryOf?.name, failed);
    await assertOneJobPerTask(tenant, retry, ['extract/migrate', 'score/score', 'offer/offer', 'store/store']);
    for (const stage of ['extract', 'filter']) {
      const made = await artifact(tenant, failed, stage);
      assert.ok(Object.keys(made).length > 1, `${stage} of ${failed} has committed files`);
      assert.deepEqual(await artifact(tenant, retry, stage), made);
    }
    assert.equal(await current(tenant, 'mended'), retry);
    // A second one would make of the same slot what is there.
    const refused = await holdfast('retry', failed);
    assert.equal(refused.status, 78);
    assert.match(refused.stderr, /HF_RETRY_REFUSED: .*that succeeded/);
  },
};

export const ordered: Scenario = {
  name: 'by command a program is run at once, slots of the past one after the other, and one is cancelled while its pod works',
  async run(world) {
    const tenant = await openReadyTenant(world, NAMESPACE);
    const holdfast = commandLine(world, NAMESPACE);
    await tenant.apply(smallProgram('ordered'));
    const triggered = await holdfast('trigger', 'ordered', '--wait', '-o', 'json');
    assert.equal(triggered.status, 0, triggered.stdout + triggered.stderr);
    const { run: newest } = JSON.parse(triggered.stdout);

    await using gates = await installGates(tenant.databaseUrl());
    const slots = ['20230101', '20240101', '20250101'];
    const names = slots.map((day) => `ordered-${day}t0200z-backfill`);
    const release = await gates.takeTurn(`${NAMESPACE}/ordered/${names[2]}/extract/extract`);
    const span = ['--from', '2023-01-01', '--to', '2025-01-01'];
    const filled = await holdfast('backfill', 'ordered', ...span, '-o', 'json');
    assert.equal(filled.status, 0, filled.stderr);
    assert.deepEqual(
      JSON.parse(filled.stdout).runs.map(({ run, made }: { run: string; made: boolean }) => [run, made]),
      names.map((name) => [name, true]),
    );
    const [oldest, next] = [await tenant.ended(names[0]!), await tenant.ended(names[1]!)];
    assert.deepEqual([oldest.status?.phase, next.status?.phase], ['Succeeded', 'Succeeded']);
    const [ended, began] = [oldest.status?.completionTime ?? '', next.status?.startTime ?? ''];
    assert.ok(Date.parse(ended) <= Date.parse(began), `one after the other: ${ended}, ${began}`);

    await gates.waiting('extract/extract', 1);
    const cancelled = await holdfast('cancel', names[2]!, '--wait', '-o', 'json');
    await release();
    assert.deepEqual([cancelled.status, JSON.parse(cancelled.stdout).phase], [0, 'Cancelled'], cancelled.stderr);
    const unpublished = await tenant.query('SELECT 1 FROM holdfast.candidates WHERE run = $1', [names[2]]);
    assert.equal(unpublished.length, 0);
    assert.equal(await current(tenant, 'ordered'), newest);
    const status = await holdfast('status', 'ordered', '-o', 'json');
    assert.equal(JSON.parse(status.stdout).programs[0].program, 'ordered');
  },
};

/** SHA-256 of each file of the artifact that a stage of a run has committed, by name. */
async function artifact(tenant: Tenant, run: string, stage: string): Promise<Record<string, string>> {
  const root = tenant.volume('holdfast-artifacts');
  const all = await readdir(root, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile() && one.parentPath.includes(`/${run}/`));
  const ofStage = files.filter(({ parentPath }) => parentPath.slice(root.length).split('/').includes(stage));
  const digests = ofStage.map(async ({ parentPath, name }) => {
    const bytes = await readFile(join(parentPath, name));
    return [name, createHash('sha256').update(bytes).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

async function current(tenant: Tenant, program: string): Promise<string | undefined> {
  const sql = 'SELECT run FROM holdfast.current_batches WHERE program = $1';
  return (await tenant.query<{ run: string }>(sql, [program]))[0]?.run;
}
