import type { ControlPlane } from '../cluster/control-plane.ts';
import { type ScriptedKubelet, startScriptedKubelet } from '../cluster/scripted-kubelet.ts';
import { program, run } from '../support/program.ts';
import { type Distribution, distribution } from './percentiles.ts';
import { dailyAt, NEWEST_SLOT, type Shop } from './shop.ts';

/** How long one namespace waits for the operator while another has very much for it to do. */
export interface Neighbour {
  /** From making a run to its first Job. */
  readonly first: Distribution;
  /** From one task to the next. */
  readonly next: Distribution;
  readonly noise: NoiseSizes;
}

export interface NoiseSizes {
  /** Runs, all at once, of a program as large as may be. */
  readonly large: number;
  /** The same of a small one. */
  readonly small: number;
}

export const NOISY = 'noisy';
const PATH = `/apis/holdfast.dev/v1alpha1/namespaces/${NOISY}`;

/** Runs that are asked for at once. */
const MAKERS = 4;

/** A task of the noisy namespace takes so long. */
const TASK_MS = 1_000;

/** Characters of each of ten queries: with the rest of the spec just under what is looked at. */
const QUERY = 25_000;

/** Runs of the quiet namespace after the last noisy one was made. */
const AFTERWARDS = 10;

/** The operator, the only one, leads and watches both namespaces. */
export async function measureNeighbour(shop: Shop, noise: NoiseSizes): Promise<Neighbour> {
  await shop.makeProgram('quiet');
  const kubelet = await openNoisy(shop.plane);
  try {
    let isMade = false;
    const making = makeNoise(shop.plane, noise).finally(() => {
      isMade = true;
    });
    // Whoever measures hears of it below, and is not to be ended by it before.
    making.catch(() => {});
    const names: string[] = [];
    const first: number[] = [];
    for (let left = AFTERWARDS; left > 0; left -= isMade ? 1 : 0) {
      const name = `quiet-${names.length + 1}`;
      await shop.makeRun('quiet', name);
      const madeAt = performance.now();
      await shop.succeeded(name);
      names.push(name);
      // Its Job may be seen before the answer that it is made has been read.
      first.push(Math.max(0, (shop.times.of(name)[0]?.createdAt ?? Number.NaN) - madeAt));
    }
    await making;
    return { first: distribution(first), next: distribution(shop.times.transitions(new Set(names))), noise };
  } finally {
    await kubelet.stop();
  }
}

async function openNoisy(plane: ControlPlane): Promise<ScriptedKubelet> {
  const kubelet = await startScriptedKubelet(plane, { namespace: NOISY, delayMs: TASK_MS });
  const connector = program({}).spec as { readonly dataConnectors: readonly { readonly config: object }[] };
  const [one] = connector.dataConnectors;
  const dataConnectors = Array.from({ length: 10 }, (_, index) => ({
    ...one,
    connectorId: index === 0 ? 'shop' : `shop-${index}`,
    config: { ...one?.config, query: `SELECT * FROM shop -- ${'x'.repeat(QUERY)}` },
  }));
  for (const [name, change] of [
    ['large', { dataConnectors } as object],
    ['small', {}],
  ] as const) {
    const made = program({ batchSchedule: dailyAt(NEWEST_SLOT), ...change, programId: name }, name);
    await ask(plane, 'retentionprograms', { ...made, metadata: { ...made.metadata, namespace: NOISY } });
  }
  return kubelet;
}

async function makeNoise(plane: ControlPlane, { large, small }: NoiseSizes): Promise<void> {
  const left = [
    ...Array.from({ length: large }, (_, index) => ['large', index]),
    ...Array.from({ length: small }, (_, index) => ['small', index]),
  ];
  await Promise.all(
    Array.from({ length: MAKERS }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const [name, index] = next as [string, number];
        const made = run(`${name}-${index}`, { programRef: { name } });
        await ask(plane, 'retentionruns', { ...made, metadata: { ...made.metadata, namespace: NOISY } });
      }
    }),
  );
}

async function ask({ request }: ControlPlane, plural: string, body: object): Promise<void> {
  const answer = await request('POST', `${PATH}/${plural}`, body);
  if (answer.status >= 300) throw new Error(`${plural}: ${answer.status} ${answer.body.message}`);
}
