import { type Case, ends, first, unless } from '../trial.ts';

/** Ends of commands: what is printed last, and folders that are not there. */
export const WAY_OUT: readonly Case[] = [
  {
    input: 'A1',
    right: 'a run of 400,000 candidates ends with its funnel',
    async check(trial) {
      await trial.duckdb(`COPY (
        SELECT printf('C%07d', n) AS customer_id, 1 + (n * 7919) % 1999 AS lifetime_value FROM range(400000) AS numbers (n)
      ) TO '${trial.path('big.parquet')}' (FORMAT parquet)`);
      return ends(await trial.holdfast(['run', 'big.yaml', '--data', 'd'], { seconds: 400 }), 0, /stored/, /next/);
    },
  },
  {
    input: 'A6',
    right: 'a TMPDIR that is no folder is named',
    async check(trial) {
      const environment = { TMPDIR: '/nonexistent' };
      const init = await trial.holdfast(['init', 'base.csv', '-o', '-', '--force'], { environment });
      const run = await trial.holdfast(['run', 'program.yaml', '--dry-run', '--data', 'd'], { environment });
      return first(
        ends(init, [1, 78], /HF_DATA_FOLDER/, /TMPDIR|\/nonexistent/),
        run.status === 0 ? undefined : ends(run, [1, 78], /HF_DATA_FOLDER/, /TMPDIR|\/nonexistent/),
      );
    },
  },
  {
    input: 'A7',
    right: 'the folder in the next command is quoted for the shell',
    async check(trial) {
      const run = await trial.holdfast(['run', 'program.yaml', '--data', 'my data & more']);
      return first(ends(run, 0, /next/), unless(/--data 'my data & more'/.test(run.said), 'the folder is not quoted'));
    },
  },
];
