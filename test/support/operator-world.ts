import { PIPELINES, type Pipelines } from '../../contract/pipelines.ts';
import { type Sources, startCaches } from '../../operator/controllers/caches.ts';
import type { Kind } from '../../operator/controllers/kind.ts';
import { KINDS } from '../../operator/controllers/registry.ts';
import { startKinds } from '../../operator/controllers/start.ts';
import { WATCHED, type Watched } from '../../operator/controllers/watched.ts';
import { type KubeApi, KubeError, RESOURCES } from '../../operator/kube/api.ts';
import { createRecorder } from '../../operator/kube/events.ts';
import type { StageSettings } from '../../operator/settings/settings.ts';
import { type FakeClock, fakeClock } from './fake-clock.ts';
import { type FakeKube, fakeKube } from './fake-kube.ts';
import { fakeKubelet, GOOD, type Script } from './fake-kubelet.ts';
import { STAGE_SETTINGS } from './program.ts';
import { timeless } from './timeless.ts';

/** A write of the operator, as it is about to be made. */
export interface Write {
  readonly verb: 'create' | 'applyStatus' | 'patch' | 'replace' | 'delete';
  readonly kind: string;
}

/** What becomes of the operator around its write number n, from 1 over all its lives. */
export type Fate = (write: Write, number: number) => 'live' | 'killed before' | 'killed after';

/** A cluster with an operator in it that can be killed. */
export interface World {
  readonly kube: FakeKube;
  readonly clock: FakeClock;
  readonly writes: readonly Write[];
  /** Errors of syncs that were not routine. */
  readonly errors: readonly string[];
  /** Lives of the operator so far. */
  lives(): number;
  /** Lets everything happen that can, without time passing beyond so many milliseconds. */
  settle(script?: Script, milliseconds?: number): Promise<void>;
  stop(): Promise<void>;
}

interface Options {
  readonly start?: Date;
  readonly fate?: Fate;
  readonly settings?: Partial<StageSettings>;
  /** Instead of the operator's own: which kinds it looks after, and what it watches. */
  readonly kinds?: readonly Kind[];
  readonly watched?: Sources<Watched>;
  readonly pipelines?: Pipelines;
}

const LIVE: Fate = () => 'live';

export function openWorld(options: Options = {}): World {
  const { start, fate = LIVE, settings = {}, kinds = KINDS, watched = WATCHED, pipelines = PIPELINES } = options;
  const clock = fakeClock(start);
  const kube = fakeKube(() => clock.now());
  const kubelet = fakeKubelet(kube, () => clock.now());
  const writes: Write[] = [];
  const errors: string[] = [];
  let lives = 0;
  let current: Life | undefined;

  interface Life {
    dead: boolean;
    end(): Promise<void>;
  }

  function live(): Life {
    lives += 1;
    const life: Life = { dead: false, end: async () => {} };
    const api = mortal(kube.api, life);
    const caches = startCaches(api, watched, { namespaces: undefined, clock, random: () => 0.5, onError: () => {} });
    let stop = async () => {};
    void caches.synced.then(
      () => {
        if (life.dead) return;
        const running = startKinds(kinds, {
          api,
          caches,
          recorder: createRecorder(api, { clock, instance: `operator-${lives}` }),
          clock,
          random: () => 0.5,
          settings: { ...STAGE_SETTINGS, ...settings },
          pipelines,
          onError: (kind, key, error) => {
            const routine = error instanceof KubeError && ['Conflict', 'Killed'].includes(error.reason);
            if (!routine) errors.push(`${kind} ${key}: ${String(error)}`);
          },
        });
        stop = () => running.stop();
      },
      () => {},
    );
    life.end = async () => {
      life.dead = true;
      await stop();
      await caches.stop();
    };
    return life;
  }

  /** The API as a process sees it that can be killed around any of its writes: after that, nothing leaves it. */
  function mortal(inner: KubeApi, life: Life): KubeApi {
    const killed = () => new KubeError(0, 'Killed', 'the operator was killed');
    async function write<T>(verb: Write['verb'], kind: string, act: () => Promise<T>): Promise<T> {
      if (life.dead) throw killed();
      const entry = { verb, kind };
      writes.push(entry);
      const fated = fate(entry, writes.length);
      if (fated === 'killed before') {
        life.dead = true;
        throw killed();
      }
      const result = await act();
      if (fated === 'killed after') life.dead = true;
      if (life.dead) throw killed();
      return result;
    }
    return {
      list: (...request) => inner.list(...request),
      watch: (...request) => inner.watch(...request),
      get: (...request) => inner.get(...request),
      create: (resource, object) => write('create', resource.kind, () => inner.create(resource, object)),
      applyStatus: (resource, object) => write('applyStatus', resource.kind, () => inner.applyStatus(resource, object)),
      patch: (resource, ...rest) => write('patch', resource.kind, () => inner.patch(resource, ...rest)),
      replace: (resource, object) => write('replace', resource.kind, () => inner.replace(resource, object)),
      delete: (resource, ...rest) => write('delete', resource.kind, () => inner.delete(resource, ...rest)),
    };
  }

  /** Until nothing has changed for a while. */
  async function calm(): Promise<void> {
    for (let quiet = 0, seen = kube.version(); quiet < 40; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (kube.version() !== seen) [quiet, seen] = [0, kube.version()];
    }
  }

  async function revive(): Promise<void> {
    if (current !== undefined && !current.dead) return;
    await current?.end();
    current = live();
    await calm();
  }

  return {
    kube,
    clock,
    writes,
    errors,
    lives: () => lives,
    async settle(script = GOOD, milliseconds = 2_000) {
      // What is left of the time is spent on what waits to be tried again.
      for (let spent = 0; spent <= milliseconds; ) {
        await revive();
        await calm();
        if (current?.dead === true || kubelet.step(script)) continue;
        await clock.advance(250);
        spent += 250;
      }
    },
    async stop() {
      await current?.end();
    },
  };
}

/** The state of a cluster without what differs from one history to the next: uids, versions and times. */
export function picture(kube: FakeKube): Record<string, unknown> {
  const kinds = [RESOURCES.retentionPrograms, RESOURCES.retentionRuns, RESOURCES.jobs, RESOURCES.configMaps];
  return Object.fromEntries(
    kinds.map((resource) => [
      resource.kind,
      kube
        .all(resource)
        .map((object) => timeless(object, 'shop'))
        .toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)),
    ]),
  );
}
