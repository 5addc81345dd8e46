import { setTimeout as pause } from 'node:timers/promises';
import type { KubeObject } from '../../../operator/kube/api.ts';
import { type Interference, refusal, type WatchedEvent, type WatchStream } from '../interference.ts';
import type { Random } from '../random.ts';

/** What is done to one event; `hit` says that it has been done. */
type Mischief = (stream: WatchStream, event: WatchedEvent, hit: () => void) => Promise<void>;

/** A fault of the watches: what it models, and how. */
export interface Kind {
  readonly name: string;
  readonly make: (random: Random) => { readonly event: Mischief; readonly besides?: Interference };
  /** It is healed by a list, which is made every half hour: the operator is given a shorter time. */
  readonly impatient?: boolean;
}

/** TCP delivers again what was lost, and requests are repeated: a proxy that does so may say a thing twice. */
const DUPLICATED: Kind = {
  name: 'duplicated',
  make: () => ({
    async event(stream, { line }, hit) {
      stream.send(line);
      stream.send(line);
      hit();
    },
  }),
};

/** A slow network or API server: everything after it in the stream waits too, other streams do not. */
const DELAYED: Kind = {
  name: 'delayed',
  make: (random) => {
    const milliseconds = random.between(300, 2_000);
    return {
      async event(stream, { line }, hit) {
        hit();
        await pause(milliseconds);
        stream.send(line);
      },
    };
  },
};

/** The connection breaks before it arrives; the watch is resumed from what was seen last, and it must come then. */
const CUT_OFF: Kind = {
  name: 'lost with its connection',
  make: () => ({
    async event(stream, _event, hit) {
      stream.cut();
      hit();
    },
  }),
};

/** The protocol forbids it, a broken cache in between may do it: what is left is that versions do not grow. */
const SWAPPED: Kind = {
  name: 'delivered after the one that follows',
  make: () => {
    let kept: string | undefined;
    return {
      async event(stream, { line }, hit) {
        kept = line;
        hit();
        // When nothing follows, it is late and no more.
        setTimeout(() => {
          if (kept !== undefined) stream.send(kept);
          kept = undefined;
        }, 1_500).unref();
      },
      besides: {
        async event({ line }, stream) {
          stream.send(line);
          if (kept !== undefined) stream.send(kept);
          kept = undefined;
        },
      },
    };
  },
};

/**
 * What comes instead of an event that something in between swallows: the next bookmark, which the API server sends within a
 * minute. Without it a watch would be resumed from before the event, and bring it after all.
 */
export function bookmarkFor({ line }: WatchedEvent): string {
  const { apiVersion, kind, metadata } = objectIn(line);
  const { resourceVersion } = metadata;
  return JSON.stringify({ type: 'BOOKMARK', object: { apiVersion, kind, metadata: { resourceVersion } } });
}

/** Something in between swallows it, and the API server has forgotten where we were: what was missed is in the list. */
const SWALLOWED: Kind = {
  name: 'swallowed, with 410 at the next watch',
  make: () => {
    let lost: string | undefined;
    return {
      async event(stream, event, hit) {
        lost = event.resource;
        stream.send(bookmarkFor(event));
        stream.end();
        hit();
      },
      besides: {
        async watch({ resource }) {
          if (resource !== lost) return undefined;
          lost = undefined;
          return { refuse: refusal(410, 'Expired') };
        },
      },
    };
  },
};

/** Something in between swallows it, and nobody ever says so: only the list that is made now and then tells. */
const NEVER_TOLD: Kind = {
  name: 'swallowed, and never told of',
  impatient: true,
  make: () => ({
    async event(stream, event, hit) {
      stream.send(bookmarkFor(event));
      hit();
    },
  }),
};

/** Every way in which one event can go wrong. */
export const KINDS: readonly Kind[] = [DUPLICATED, DELAYED, CUT_OFF, SWAPPED, SWALLOWED, NEVER_TOLD];

/** The object that an event is about. */
export function objectIn<T extends KubeObject = KubeObject>(line: string): T {
  return (JSON.parse(line) as { object: T }).object;
}
