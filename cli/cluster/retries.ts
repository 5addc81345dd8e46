import { isDeepStrictEqual } from 'node:util';
import { HoldfastError } from '../../base/errors.ts';
import { RESOURCES } from '../../operator/kube/api.ts';
import type { ConfigMapObject, ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import { pages } from '../../operator/kube/pages.ts';
import { programOwner } from '../../operator/objects/owner.ts';
import { pinnedRevision } from '../../operator/objects/revision.ts';
import type { Cluster } from './cluster.ts';
import { isForbidden } from './refusal.ts';

/**
 * The run that is a retry of this one, or of a retry of it, and has succeeded; undefined where there is none.
 * @throws as `Cluster.ask`
 */
export async function succeededRetryOf(
  cluster: Cluster,
  run: RunObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const retries = new Map<string, { readonly name: string; readonly uid: string; readonly succeeded: boolean }[]>();
  await cluster.ask('list', RESOURCES.retentionRuns, async (api) => {
    const scope = { namespace: cluster.namespace };
    for await (const { items } of pages<RunObject>(api, RESOURCES.retentionRuns, scope, signal)) {
      for (const { metadata, spec, status } of items) {
        const { uid } = spec.retryOf ?? {};
        if (uid === undefined) continue;
        const one = { name: metadata.name, uid: metadata.uid, succeeded: status?.phase === 'Succeeded' };
        retries.set(uid, [...(retries.get(uid) ?? []), one]);
      }
    }
  });
  const looked = new Set<string>();
  for (const next = [run.metadata.uid]; next.length > 0; ) {
    const uid = next.pop() ?? '';
    if (looked.has(uid)) continue;
    looked.add(uid);
    for (const retry of retries.get(uid) ?? []) {
      if (retry.succeeded) return retry.name;
      next.push(retry.uid);
    }
  }
  return undefined;
}

/**
 * Says that the program is no longer what the run was pinned to, which a retry keeps to; undefined where it is, or where one
 * may not read the ConfigMap.
 * @throws HF_RETRY_REFUSED where what it was pinned to is gone, and as `Cluster.ask`
 */
export async function changeSince(
  cluster: Cluster,
  run: RunObject,
  program: ProgramObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { name } = run.metadata;
  const { revision, revisionDigest } = run.status ?? {};
  const refuse = (why: string) => new HoldfastError('HF_RETRY_REFUSED', `nothing was made: ${why}`);
  if (revision === undefined)
    throw refuse(`the run ${name} never began, so nothing of it can be taken up: trigger another`);
  let found: ConfigMapObject | undefined;
  try {
    const key = `${cluster.namespace}/${revision}`;
    found = await cluster.ask('get', RESOURCES.configMaps, (api) => api.get(RESOURCES.configMaps, key, signal));
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
  const pinned = found && pinnedRevision(found, programOwner(program), revisionDigest);
  if (pinned === undefined) {
    throw refuse(
      `the ConfigMap ${revision} is gone or was changed, which held what the run ${name} was to do: trigger another`,
    );
  }
  return sameProgram(pinned.spec, program.spec)
    ? undefined
    : `the program ${program.metadata.name} has changed since ${name}: the retry does what that run was pinned to; trigger runs the program as it is now`;
}

/** But for what is never pinned, or is pinned as the operator resolves it. */
function sameProgram(one: object, other: object): boolean {
  const compared = (spec: object) => ({ ...spec, enabled: true, storage: null });
  return isDeepStrictEqual(compared(one), compared(other));
}
