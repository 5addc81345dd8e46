import { type Case, ends, first, type Trial, unless } from '../trial.ts';

/** What a cell means: dates, thousands, missing values. */
export const VALUES: readonly Case[] = [
  ...['dmy-short', 'dmy-dots-short', 'mdy-short'].map(
    (name): Case => ({
      input: 'A2',
      right: `${name}: years of two figures are read as the days they are, or asked for`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        if (init.status !== 0) return ends(init, 78, /--dates/);
        const run = await trial.holdfast(['run', 'p.yaml', '--data', 'd', '--now', '2026-11-23T02:00:00Z']);
        const [days] = await trial.artifact(
          'd',
          'extract/1/candidates.parquet',
          'count(*) AS customers, count(days_since_last_login) AS known, max(days_since_last_login) AS most',
        );
        return first(
          ends(run, 0),
          unless(days?.customers === days?.known, `${days?.known} of ${days?.customers} have a value`),
          unless(Number(days?.most) <= 90, `the most is ${days?.most} days`),
        );
      },
    }),
  ),
  {
    input: 'A3',
    right: '178.100 beside 44,10 is 178 thousand, or it is said that nobody knows',
    async check(trial) {
      const init = await trial.holdfast(['init', 'thousands.csv', '-o', 't.yaml']);
      if (init.status !== 0) return ends(init, 78, /thousand/);
      const run = await trial.holdfast(['run', 't.yaml', '--data', 'd']);
      const [value] = await trial.artifact('d', 'extract/1/candidates.parquet', 'median(lifetime_value) AS median');
      return first(ends(run, 0), unless(Number(value?.median) > 10_000, `the median is ${value?.median}`));
    },
  },
  ...['t_N', 't_none', 't_hashna'].map(
    (name): Case => ({
      input: '10',
      right: `${name}: lifetime_value is a column of numbers with gaps`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        const run = await trial.holdfast(['run', 'p.yaml', '--data', 'd']);
        const [value] = await trial.artifact(
          'd',
          'extract/1/candidates.parquet',
          'count(*) - count(lifetime_value) AS gaps, count(lifetime_value) AS known',
        );
        return first(
          ends(init, 0),
          ends(run, 0),
          unless(Number(value?.gaps) > 0 && Number(value?.known) > 250, `${value?.known} known, ${value?.gaps} gaps`),
        );
      },
    }),
  ),
  {
    input: '10',
    right: 'next week’s 30 NA run in a program made from a file without gaps; a program of before says why it refuses',
    async check(trial) {
      const old = await trial.holdfast([
        'run',
        'clean.yaml',
        '--source',
        'customers=t_NA.csv',
        '--dry-run',
        '--data',
        'd',
      ]);
      const init = await trial.holdfast(['init', 'base.csv', '-o', 'new.yaml', '--name', 'fresh']);
      const next = await trial.holdfast(['run', 'new.yaml', '--source', 'customers=t_NA.csv', '--data', 'd']);
      return first(
        old.status === 0 ? undefined : ends(old, 78, /lifetime_value.*25|25.*lifetime_value/),
        ends(init, 0),
        ends(next, 0),
      );
    },
  },
  ...(
    [
      ['lab_N', []],
      ['lab_N', ['--label', 'churned=Yes']],
      ['lab_nan', []],
      ['lab_nan', ['--label', 'churned']],
      ['lab_nan', ['--label', 'churned=Yes']],
    ] as const
  ).map(
    ([name, label]): Case => ({
      input: '10',
      right: `${name} ${label.join(' ')}: a missing label is no label, whichever way it is called`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '--name', 'z', '-o', 'z.yaml', ...label]);
        return first(ends(init, 0, /logistic regression/), await trainedOn(trial, 'z-risk.json', 370));
      },
    }),
  ),
];

/** The card of a model counts the rows with a label only. */
async function trainedOn(trial: Trial, card: string, rows: number): Promise<string | undefined> {
  const [found] = await trial.duckdb(`SELECT content FROM read_text('${trial.path(card).replaceAll("'", "''")}')`);
  const { training, figures } = JSON.parse(String(found?.content));
  const sum = training.rows + figures.holdoutRows;
  return unless(sum === rows, `the card's rows add up to ${sum}, not ${rows}`);
}
