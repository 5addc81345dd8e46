interface MetricEntry {
  readonly type: 'gauge' | 'counter';
  /** What it is, in one sentence; the documentation is generated from these. */
  readonly help: string;
}

/** What the operator counts and measures about itself, under the names that Prometheus scrapes. */
export const METRICS = {
  holdfast_operator_leading: { type: 'gauge', help: '1 while this replica leads, 0 while it waits to take over.' },
  holdfast_operator_terms_total: { type: 'counter', help: 'Times that this replica has become the leader.' },
  holdfast_operator_syncs_total: { type: 'counter', help: 'Times that a program or a run was looked at.' },
  holdfast_operator_sync_failures_total: {
    type: 'counter',
    help: 'Failed reconciles, which are retried, such as for a status that somebody else wrote meanwhile.',
  },
  holdfast_operator_queue_depth: { type: 'gauge', help: 'Programs and runs that wait to be looked at.' },
  holdfast_operator_watch_failures: {
    type: 'gauge',
    help: 'Kinds of objects that cannot be listed or watched at the moment, such as for want of rights.',
  },
  holdfast_operator_programs: { type: 'gauge', help: 'Programs in the namespaces that are watched.' },
  holdfast_operator_runs: { type: 'gauge', help: 'Runs in the namespaces that are watched, finished ones included.' },
  holdfast_operator_runs_at_work: {
    type: 'gauge',
    help: 'Runs that are under way; `runs.maxConcurrent` of the chart bounds them.',
  },
  holdfast_operator_runs_waiting_for_capacity: {
    type: 'gauge',
    help: 'Runs that wait for one of those to end, and for nothing else.',
  },
  holdfast_operator_failed_runs: {
    type: 'gauge',
    help: 'Failed runs in the namespaces that are watched; `runHistory.failed` of each program bounds them.',
  },
  process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory of the process in bytes.' },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;

/** The values in the text format of Prometheus, version 0.0.4. */
export function metricsPage(values: Readonly<Record<MetricName, number>>): string {
  return Object.entries(METRICS)
    .map(([name, { type, help }]) => {
      const value = values[name as MetricName];
      return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`;
    })
    .join('');
}
