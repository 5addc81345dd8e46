import { createHash } from 'node:crypto';
import { apiVersionOf, type KubeApi, KubeError, type KubeObject, RESOURCES } from './api.ts';
import type { Clock } from './clock.ts';
import { microseconds } from './lease.ts';

interface ReasonEntry {
  readonly type: 'Normal' | 'Warning';
  /** What it means, in one sentence; the documentation is generated from these. */
  readonly meaning: string;
}

/** Why the operator says something about an object, as `kubectl describe` shows it. A reason never changes its meaning. */
export const EVENT_REASONS = {
  RunCreated: { type: 'Normal', meaning: 'A run was made, at a slot or because someone asked for it.' },
  RunRefused: { type: 'Warning', meaning: 'The API server refuses the run of a slot; the message says why.' },
  SlotWaiting: {
    type: 'Normal',
    meaning: 'A slot is due, and its run is made once another has ended; the message names both.',
  },
  SlotsMissed: {
    type: 'Warning',
    meaning: 'Slots passed and no run could be started; only the newest one runs, if it is still in time.',
  },
  NameTaken: {
    type: 'Warning',
    meaning: 'An object that is not ours has the name that ours must have; delete it, or rename the program.',
  },
  TaskRetried: { type: 'Warning', meaning: 'A task failed, or its Job was deleted, and it is tried again.' },
  TaskStuck: {
    type: 'Warning',
    meaning:
      'The pod of a task cannot start, because of its image, its volumes or the cluster; the message says which.',
  },
  TaskDisrupted: {
    type: 'Normal',
    meaning:
      'The pod of a task was evicted, preempted or deleted, or its node is gone. Its Job makes another after a while; it is no failure.',
  },
  SidecarOutlivesTask: {
    type: 'Warning',
    meaning:
      'The task has ended and another container keeps its pod from doing so. The run goes by the task: make the other a native sidecar, or leave it out.',
  },
  RunFailed: { type: 'Warning', meaning: 'The run has failed; the message names the task and its error code.' },
  NoCandidates: {
    type: 'Warning',
    meaning: 'The run is done, and nobody is a candidate; the message says where they were left out.',
  },
  RunSuspended: { type: 'Normal', meaning: 'Someone suspended the run; its tasks wait.' },
  RunResumed: { type: 'Normal', meaning: 'The run goes on.' },
  RunCancelled: { type: 'Normal', meaning: 'Someone cancelled the run; its tasks were ended.' },
  RunReplaced: {
    type: 'Normal',
    meaning: 'A newer run of the same schedule took the place of the run; its tasks were ended.',
  },
  DeadlineExceeded: { type: 'Warning', meaning: 'The run or one of its tasks took longer than it may.' },
} as const satisfies Record<string, ReasonEntry>;

export type EventReason = keyof typeof EVENT_REASONS;

/** An events.k8s.io/v1 event. */
interface KubeEvent extends KubeObject {
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly regarding: object;
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

export interface RecorderOptions {
  readonly clock: Clock;
  /** This process, such as the name of its pod. */
  readonly instance: string;
  readonly onError?: (error: unknown) => void;
}

export interface Recorder {
  /**
   * Says something about an object, once: the same again, by this process or another, only counts up, and that at most
   * every few minutes. Never rejects: an event that cannot be written is lost, and nothing else.
   * @param topic what makes it the same, by default the message; the first message of a topic is the one that is seen
   */
  record(regarding: KubeObject, reason: EventReason, message: string, topic?: string): Promise<void>;
}

const CONTROLLER = 'holdfast.dev/operator';

/** The API server refuses longer notes, in bytes. */
const LONGEST_NOTE = 1024;
/** Its limits of `reportingInstance` and of names. */
const LONGEST_INSTANCE = 128;
const LONGEST_NAME = 253;

/** Repetitions are gathered for so long before they are written. */
const GATHER_MS = 5 * 60_000;
/** What was last said so long ago is forgotten, as the API server does after an hour. */
const REMEMBER_MS = 60 * 60_000;

interface Said {
  count: number;
  writtenAt: number;
}

export function createRecorder(api: KubeApi, options: RecorderOptions): Recorder {
  const { clock } = options;
  const said = new Map<string, Said>();

  function forgetOld(): void {
    for (const [name, { writtenAt }] of said) {
      if (clock.elapsed() - writtenAt > REMEMBER_MS) {
        said.delete(name);
      }
    }
  }

  async function write(event: KubeEvent): Promise<void> {
    const key = `${event.metadata.namespace}/${event.metadata.name}`;
    const entry = said.get(key);
    if (entry === undefined) {
      forgetOld();
      // Remembered before it is written, so that the same said twice at once is written once.
      said.set(key, { count: 1, writtenAt: clock.elapsed() });
      await create(key, event);
      return;
    }
    entry.count += 1;
    if (clock.elapsed() - entry.writtenAt < GATHER_MS) {
      return;
    }
    entry.writtenAt = clock.elapsed();
    try {
      const series = { count: entry.count, lastObservedTime: event.eventTime };
      await api.patch(RESOURCES.events, key, { series });
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 404)) {
        throw error;
      }
      entry.count = 1;
      await create(key, event);
    }
  }

  async function create(key: string, event: KubeEvent): Promise<void> {
    try {
      await api.create(RESOURCES.events, event);
    } catch (error) {
      // Said before this process started, or by the leader before us.
      if (error instanceof KubeError && error.reason === 'AlreadyExists') {
        return;
      }
      said.delete(key);
      throw error;
    }
  }

  return {
    async record(regarding, reason, message, topic) {
      try {
        await write(eventOf(regarding, reason, message, topic, clock.now(), options.instance));
      } catch (error) {
        // The namespace is going away; drop the event.
        if (error instanceof KubeError && error.reason === 'NamespaceTerminating') return;
        options.onError?.(error);
      }
    },
  };
}

function eventOf(
  { apiVersion, kind, metadata }: KubeObject,
  reason: EventReason,
  message: string,
  topic: string | undefined,
  now: Date,
  instance: string,
): KubeEvent {
  const { name, namespace, uid, resourceVersion } = metadata;
  const note = shorten(message, LONGEST_NOTE);
  // The name says what is said about what, so that saying it again finds it.
  const digest = createHash('sha256')
    .update([uid, reason, topic ?? note].join('\0'))
    .digest('hex')
    .slice(0, 16);
  return {
    apiVersion: apiVersionOf(RESOURCES.events),
    kind: RESOURCES.events.kind,
    metadata: {
      name: `${name.slice(0, LONGEST_NAME - digest.length - 1).replace(/[-.]+$/, '')}.${digest}`,
      ...(namespace === undefined ? {} : { namespace }),
    },
    eventTime: microseconds(now),
    reportingController: CONTROLLER,
    reportingInstance: instance.slice(0, LONGEST_INSTANCE),
    type: EVENT_REASONS[reason].type,
    reason,
    action: reason,
    note,
    regarding: { apiVersion, kind, name, namespace, uid, resourceVersion },
  };
}

/** At most so many bytes of UTF-8, and no half character. */
function shorten(text: string, bytes: number): string {
  const content = Buffer.from(text);
  if (content.length <= bytes) {
    return text;
  }
  const mark = '…';
  const kept = new TextDecoder().decode(content.subarray(0, bytes - Buffer.byteLength(mark)), { stream: true });
  return `${kept}${mark}`;
}
