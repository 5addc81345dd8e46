import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A write as the API server's audit log has it. */
export interface Write {
  readonly verb: string;
  readonly resource: string;
  /** Of the object; events have the name of what they are about in front. */
  readonly name: string;
  readonly status: number;
}

interface AuditEvent {
  readonly verb: string;
  readonly userAgent?: string;
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

/** How `operator/main.ts` names itself. */
const USER_AGENT = 'holdfast/operator';

const LOG = 'audit.log';

const POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata', verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'] }, { level: 'None' }],
};

/** Flags with which an API server notes every write in this folder. */
export async function auditFlags(folder: string): Promise<readonly string[]> {
  const policy = join(folder, 'audit-policy.json');
  await writeFile(policy, JSON.stringify(POLICY));
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(folder, LOG)}`];
}

/**
 * Every write that an operator has asked for so far, also those that were refused, in order; but for renewals of its
 * Lease, which do not depend on what there is to do.
 */
export async function operatorWrites(folder: string): Promise<readonly Write[]> {
  const lines = (await readFile(join(folder, LOG), 'utf8')).split('\n');
  // The last line may be half written.
  return lines.slice(0, -1).flatMap((line) => {
    const event = JSON.parse(line) as AuditEvent;
    const { resource = '', subresource, name = '' } = event.objectRef ?? {};
    if (event.userAgent !== USER_AGENT || resource === 'leases') return [];
    const what = subresource === undefined ? resource : `${resource}/${subresource}`;
    return [{ verb: event.verb, resource: what, name, status: event.responseStatus?.code ?? 0 }];
  });
}

/** Writes that are about the program of this name, or what was made for it. */
export function writesFor(program: string, writes: readonly Write[]): readonly Write[] {
  return writes.filter(
    ({ name }) => name === program || name.startsWith(`${program}-`) || name.startsWith(`${program}.`),
  );
}

/** How many of which kind: `create jobs ×6`. */
export function tally(writes: readonly Write[]): string {
  const counts = new Map<string, number>();
  for (const { verb, resource, status } of writes) {
    const what = `${verb} ${resource}${status >= 300 ? ` (${status})` : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${what} ×${count}`).join(', ');
}
