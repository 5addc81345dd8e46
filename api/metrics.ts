import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { ownerOf } from '../contract/owner.ts';
import type { Database } from '../database/client/database.ts';
import { countFailedRuns } from '../database/runs/failed-runs.ts';
import { listPrograms } from '../database/runs/programs.ts';
import { type RunRecord, storedCounts } from '../database/runs/runs.ts';
import { namesOf, type Scope } from './http/sessions.ts';
import { MOST_PROGRAMS } from './v1/programs.ts';

interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** What it is, in one sentence; the documentation is generated from these. */
  readonly help: string;
}

/** What the API counts and measures, under the names that Prometheus scrapes. */
export const API_METRICS = {
  holdfast_api_http_requests_total: {
    type: 'counter',
    labels: ['method', 'route', 'status'],
    help: 'Requests answered, by template of the route and status.',
  },
  holdfast_api_http_request_duration_seconds: {
    type: 'histogram',
    labels: ['route'],
    help: 'Time from the head of a request to the end of its response.',
  },
  holdfast_api_http_requests_in_flight: { type: 'gauge', labels: [], help: 'Requests that are being answered.' },
  holdfast_api_database_connections: {
    type: 'gauge',
    labels: ['state'],
    help: 'Connections to Postgres, idle and in use.',
  },
  holdfast_api_database_waiting_requests: {
    type: 'gauge',
    labels: [],
    help: 'Requests that wait for a connection to Postgres.',
  },
  holdfast_api_database_up: { type: 'gauge', labels: [], help: '1 while Postgres answers, else 0.' },
  holdfast_build_info: { type: 'gauge', labels: ['version'], help: '1, with the version of Holdfast.' },
  holdfast_current_batch_candidates: {
    type: 'gauge',
    labels: ['namespace', 'program', 'risk_level'],
    help: 'Candidates of the current batch, those held out as well, as its run counted them.',
  },
  holdfast_current_batch_to_contact: {
    type: 'gauge',
    labels: ['namespace', 'program'],
    help: 'Candidates of the current batch who are to be contacted: not held out, and with an offer, as its run counted them.',
  },
  holdfast_current_batch_published_timestamp_seconds: {
    type: 'gauge',
    labels: ['namespace', 'program'],
    help: 'When the current batch was published; `time() - …` is its age.',
  },
  holdfast_current_batch_rejected_rows: {
    type: 'gauge',
    labels: ['namespace', 'program'],
    help: 'Rows that the extract of the current batch rejected.',
  },
  holdfast_current_batch_removed_rows: {
    type: 'gauge',
    labels: ['namespace', 'program', 'filter'],
    help: 'Customers whom each filter of the current batch removed.',
  },
  holdfast_failed_runs: {
    type: 'gauge',
    labels: ['namespace', 'program', 'series', 'code'],
    help: 'Runs on record that failed or were interrupted, by whose they are, a program or a series, and error code; prune takes old ones off the record.',
  },
  holdfast_last_run_failed: {
    type: 'gauge',
    labels: ['namespace', 'program'],
    help: '1 where the run begun last failed or was interrupted, else 0.',
  },
  holdfast_last_run_started_timestamp_seconds: {
    type: 'gauge',
    labels: ['namespace', 'program'],
    help: 'When the run begun last was begun.',
  },
} as const satisfies Record<string, MetricEntry>;

function countsOf({ stages }: RunRecord, stage: string): RunRecord['stages'][number]['counts'] {
  return stages.find(({ name }) => name === stage)?.counts ?? {};
}

function hasFailed(phase: string): boolean {
  return phase === 'Failed' || phase === 'Interrupted';
}

/** Seconds; a look-up in an index takes one or two thousandths. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']);

export interface ApiMetrics {
  readonly contentType: string;
  /** In the text format of Prometheus; of batches, those of the namespaces in scope. */
  page(scope: Scope): Promise<string>;
  begin(): void;
  end(request: { readonly method: string; readonly route: string; readonly status: number; seconds: number }): void;
}

export function apiMetrics(database: Database, version: string): ApiMetrics {
  const registry = new Registry();
  const options = <Name extends keyof typeof API_METRICS>(name: Name) => ({
    name,
    help: API_METRICS[name].help,
    labelNames: API_METRICS[name].labels,
    registers: [registry],
  });
  const requests = new Counter(options('holdfast_api_http_requests_total'));
  const durations = new Histogram({ ...options('holdfast_api_http_request_duration_seconds'), buckets: BUCKETS });
  const inFlight = new Gauge(options('holdfast_api_http_requests_in_flight'));
  const connections = new Gauge(options('holdfast_api_database_connections'));
  const waiting = new Gauge(options('holdfast_api_database_waiting_requests'));
  const up = new Gauge(options('holdfast_api_database_up'));
  const candidates = new Gauge(options('holdfast_current_batch_candidates'));
  const contacts = new Gauge(options('holdfast_current_batch_to_contact'));
  const published = new Gauge(options('holdfast_current_batch_published_timestamp_seconds'));
  const rejected = new Gauge(options('holdfast_current_batch_rejected_rows'));
  const removed = new Gauge(options('holdfast_current_batch_removed_rows'));
  const failed = new Gauge(options('holdfast_failed_runs'));
  const lastFailed = new Gauge(options('holdfast_last_run_failed'));
  const lastStarted = new Gauge(options('holdfast_last_run_started_timestamp_seconds'));
  new Gauge(options('holdfast_build_info')).set({ version }, 1);
  collectDefaultMetrics({ register: registry });

  async function look(scope: Scope): Promise<void> {
    const { totalCount, idleCount, waitingCount } = database.pool;
    connections.set({ state: 'idle' }, idleCount);
    connections.set({ state: 'used' }, totalCount - idleCount);
    waiting.set(waitingCount);
    // What cannot be read is not there, rather than what it was.
    for (const gauge of [candidates, contacts, published, rejected, removed, failed, lastFailed, lastStarted])
      gauge.reset();
    try {
      for (const { namespace, program, current, newest } of await listPrograms(database, {
        namespaces: namesOf(scope),
        limit: MOST_PROGRAMS,
      })) {
        if (newest !== undefined) {
          lastFailed.set({ namespace, program }, hasFailed(newest.phase) ? 1 : 0);
          lastStarted.set({ namespace, program }, newest.startedAt.getTime() / 1000);
        }
        if (current === undefined) continue;
        rejected.set({ namespace, program }, Number(countsOf(current, 'extract')['rejected'] ?? 0));
        // A cap may remove some more where the batch is stored.
        for (const stage of ['filter', 'store']) {
          for (const [filter, count] of Object.entries(countsOf(current, stage)['removed'] ?? {})) {
            removed.inc({ namespace, program, filter }, Number(count));
          }
        }
        for (const [level, count] of Object.entries(storedCounts(current, 'riskLevels') ?? {})) {
          candidates.set({ namespace, program, risk_level: level }, count);
        }
        const toContact = countsOf(current, 'store')['toContact'];
        if (typeof toContact === 'number') contacts.set({ namespace, program }, toContact);
        if (current.publishedAt !== undefined) {
          published.set({ namespace, program }, current.publishedAt.getTime() / 1000);
        }
      }
      for (const { namespace, owner, code, runs } of await countFailedRuns(database, namesOf(scope))) {
        const { kind, id } = ownerOf(owner);
        failed.set({ namespace, [kind]: id, code }, runs);
      }
      up.set(1);
    } catch {
      up.set(0);
    }
  }

  let turn: Promise<unknown> = Promise.resolve();
  /** Pages that wait for their turn: whoever asks for one of them meanwhile gets it, so that nobody can fill the queue. */
  const waitingPages = new Map<Scope, Promise<string>>();
  return {
    contentType: registry.contentType,
    page(scope) {
      const asked = waitingPages.get(scope);
      if (asked !== undefined) return asked;
      // One after the other: the gauges hold what one scope may see.
      const page = turn.then(async () => {
        waitingPages.delete(scope);
        await look(scope);
        return registry.metrics();
      });
      waitingPages.set(scope, page);
      turn = page.catch(() => {});
      return page;
    },
    begin: () => inFlight.inc(),
    end({ method, route, status, seconds }) {
      inFlight.dec();
      requests.inc({ method: METHODS.has(method) ? method : 'other', route, status });
      durations.observe({ route }, seconds);
    },
  };
}
