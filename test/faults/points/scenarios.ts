import type { JobObject, RunObject } from '../../../operator/kube/objects.ts';
import type { Point } from '../point.ts';
import type { Random } from '../random.ts';
import type { Observed } from '../reference.ts';
import { dueRun, type Scenario } from '../scenario.ts';
import { BACKFILL } from '../scenarios/backfill.ts';
import { BATCH, CAMPAIGN_BESIDE, CAMPAIGN_WITH_BATCH, REPORT_BESIDE, WAITING_CAMPAIGN } from '../scenarios/campaign.ts';
import { CANCEL } from '../scenarios/cancel.ts';
import { CAP } from '../scenarios/cap.ts';
import { DEADLINE } from '../scenarios/deadline.ts';
import { REPLACE } from '../scenarios/replace.ts';
import { RETRY, RETRY_UNTOLD } from '../scenarios/retry.ts';
import { onWrite, REPLIES } from './answers.ts';
import { restarted } from './api-server.ts';
import { type Hit, onEvent } from './events.ts';
import { halfOpen } from './half-open.ts';
import { kill } from './kills.ts';
import { stopped } from './leaders.ts';
import { KINDS, objectIn } from './mischief.ts';
import { stale } from './stale.ts';

/** What is hit in a scenario of several runs: what happens within a run is hit where there is one. */
interface Focus {
  readonly scenario: Scenario;
  /** Writes around each of which the operator is killed, and of which the others are picked. */
  readonly writes: RegExp;
  /** Events after which nothing comes that would say the same: in each way in which one can go wrong one of them does. */
  readonly decisive: readonly Hit[];
  /** How many writes are answered wrongly, followed by the past, or by another leader, or by watches that are half open. */
  readonly answers: number;
  readonly stale: number;
  readonly leaders: number;
  readonly halfOpen: number;
  /** After how many writes the API server is restarted. Default: none. */
  readonly restarts?: number;
}

const FOCUSES: readonly Focus[] = [
  {
    scenario: WAITING_CAMPAIGN,
    writes:
      /POST retentionruns of keep-due-campaign|POST jobs of keep-due-campaign-plan-migrate|of keep-due-campaign #[12]|status of keep-due #4/,
    decisive: [runEvent('that the batch is over', isOver(BATCH))],
    answers: 3,
    stale: 2,
    leaders: 1,
    halfOpen: 1,
  },
  {
    scenario: CAMPAIGN_BESIDE,
    writes: /POST jobs of next-extract-migrate/,
    decisive: [],
    answers: 0,
    stale: 1,
    leaders: 0,
    halfOpen: 0,
  },
  {
    scenario: CAMPAIGN_WITH_BATCH,
    writes: /POST retentionruns|status of keep #[12]/,
    decisive: [],
    answers: 1,
    stale: 1,
    leaders: 0,
    halfOpen: 0,
  },
  {
    scenario: REPORT_BESIDE,
    writes: /POST retentionruns of keep-due-report|POST jobs of keep-due-report|status of keep-due-report #[12]/,
    decisive: [runEvent('that the batch is over', isOver(BATCH))],
    answers: 1,
    stale: 1,
    leaders: 0,
    halfOpen: 0,
    restarts: 1,
  },
  {
    scenario: RETRY,
    writes: /POST jobs of retry-(extract-migrate|store)|status of retry #[123]/,
    decisive: [
      jobEvent('that the first task of the retry is complete', 'retry-extract-migrate-1'),
      runEvent('that the retry is over', isOver('retry')),
    ],
    answers: 3,
    stale: 2,
    leaders: 1,
    halfOpen: 1,
    restarts: 1,
  },
  {
    scenario: RETRY_UNTOLD,
    writes: /POST jobs of retry-extract-1/,
    decisive: [],
    answers: 0,
    stale: 1,
    leaders: 0,
    halfOpen: 0,
  },
  {
    scenario: DEADLINE,
    writes: /RunFailed|status of late/,
    decisive: [],
    answers: 2,
    stale: 1,
    leaders: 0,
    halfOpen: 0,
  },
  {
    scenario: CANCEL,
    writes: /DELETE jobs|RunCancelled|status of keep-due #3|of next #1/,
    decisive: [
      runEvent('that somebody cancels the run', ({ spec, status }) => spec.cancel && status?.phase === 'Running'),
      runEvent('that the cancelled run is over', ({ status }) => status?.phase === 'Cancelled'),
    ],
    answers: 2,
    stale: 2,
    leaders: 1,
    halfOpen: 1,
    restarts: 1,
  },
  {
    scenario: BACKFILL,
    writes: /status of backfill-[13] #1|POST retentionruns|POST jobs of backfill-1-extract-migrate/,
    decisive: [runEvent('that the oldest backfill is over', isOver('backfill-3'))],
    answers: 2,
    stale: 2,
    leaders: 1,
    halfOpen: 0,
    restarts: 1,
  },
  {
    scenario: REPLACE,
    writes: /POST retentionruns of keep-due|DELETE jobs|RunReplaced|status of keep-(before #3|due #1)/,
    decisive: [
      runEvent('that the run which takes the place is there', ({ metadata }) => metadata.name === dueRun('keep')),
      runEvent('that the replaced run is over', ({ status }) => status?.phase === 'Cancelled'),
    ],
    answers: 2,
    stale: 2,
    leaders: 1,
    halfOpen: 1,
    restarts: 1,
  },
  {
    scenario: CAP,
    writes: /status of keep-c-due #[12]|POST jobs of keep-c-due-extract-migrate/,
    decisive: [],
    answers: 2,
    stale: 2,
    leaders: 1,
    halfOpen: 1,
  },
];

function isOver(name: string) {
  return ({ metadata, status }: RunObject) => metadata.name === name && status?.completionTime !== undefined;
}

function jobEvent(words: string, job: string): Hit {
  return {
    name: `the event ${words}`,
    resource: 'jobs',
    is: ({ resource, line }) => {
      if (resource !== 'jobs') return false;
      const { metadata, status } = objectIn<JobObject>(line);
      return metadata.name === job && status?.conditions?.some(({ type }) => type === 'Complete') === true;
    },
  };
}

/** The first event of a run that is so. */
function runEvent(words: string, is: (run: RunObject) => boolean): Hit {
  return {
    name: `the event ${words}`,
    resource: 'retentionruns',
    is: ({ resource, type, line }) =>
      resource === 'retentionruns' && type !== 'DELETED' && is(objectIn<RunObject>(line)),
  };
}

/** Between the runs of a program, and where people take a hand in them. */
export function scenarioPoints({ writesOf }: Observed, random: Random): readonly Point[] {
  return FOCUSES.flatMap((focus) => {
    const { scenario } = focus;
    // Sorted, since the writes of two runs come in one order or another.
    const writes = [...new Set(writesOf.get(scenario.name))].filter((key) => focus.writes.test(key)).toSorted();
    const some = <T>(count: number, make: (key: string, index: number) => T): readonly T[] =>
      Array.from({ length: count }, (_, index) => make(random.pick(writes), index));
    const points = [
      ...writes.flatMap((key) => [
        kill(scenario, key, 'before', 'a new process'),
        kill(scenario, key, 'after', 'a new process'),
      ]),
      ...KINDS.flatMap((kind) =>
        focus.decisive.length === 0 ? [] : [onEvent(kind, random.pick(focus.decisive), scenario)],
      ),
      ...some(focus.answers, (key, index) =>
        onWrite(REPLIES[index % REPLIES.length] as (typeof REPLIES)[number], key, index % 2 === 0, scenario),
      ),
      ...some(focus.stale, (key, index) => stale(key, STALE[index % STALE.length] as (typeof STALE)[number], scenario)),
      ...some(focus.leaders, (key) => stopped(key, 'is on its way', scenario)),
      ...some(focus.halfOpen, (key) => halfOpen(key, undefined, scenario)),
      ...some(focus.restarts ?? 0, (key) => restarted(key, scenario)),
    ];
    return points.map((point) => ({ ...point, name: `${scenario.name}: ${point.name}` }));
  });
}

const STALE = ['as it was at the start', 'as it was a little before', 'each resource as of another moment'] as const;
