import { type Case, ends, first, unless } from '../trial.ts';

/** Who left: flags, leaks, names of columns. */
export const LABELS: readonly Case[] = [
  ...['float', 'float-missing', 'true-dot'].map(
    (name): Case => ({
      input: 'A4',
      right: `${name}: churned says who left; they get no offers`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        const run = await trial.holdfast(['run', 'p.yaml', '--data', 'd']);
        const [left] = await trial.artifact('d', 'extract/1/candidates.parquet', 'count(*) AS customers');
        const [all] = await trial.duckdb(`
          SELECT count(*) FILTER (WHERE lower(trim(CAST(churned AS VARCHAR), ' .')) IN ('1.0', '1', 'true')) AS gone, count(*) AS rows
          FROM read_csv('${trial.path(`${name}.csv`)}', all_varchar = true)`);
        const stayed = Number(all?.rows) - Number(all?.gone);
        return first(
          ends(init, 0, /logistic regression/),
          ends(run, 0),
          unless(Number(left?.customers) === stayed, `${left?.customers} of ${stayed} who stayed are read`),
        );
      },
    }),
  ),
  {
    input: 'A4',
    right: '--label churned=1 finds 1.0',
    check: async (trial) =>
      ends(
        await trial.holdfast(['init', 'float.csv', '-o', 'g.yaml', '--label', 'churned=1']),
        0,
        /logistic regression/,
      ),
  },
  {
    input: 'A4',
    right: '1 and 2 are asked about by name',
    check: async (trial) =>
      ends(await trial.holdfast(['init', 'one-two.csv', '-o', 'p.yaml']), [0, 78], /--label churned=/),
  },
  {
    input: 'A4',
    right: '1 and nothing are asked about by name',
    check: async (trial) =>
      ends(await trial.holdfast(['init', 'one-blank.csv', '-o', 'p.yaml']), [0, 78], /--label churned=/),
  },
  ...['months', 'two-months', 'column-y', 'column-No', 'column-2026-01', 'column-1_000'].map(
    (name): Case => ({
      input: 'A8',
      right: `${name}: a program and a model that Holdfast takes`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        const validated = await trial.holdfast(['validate', 'p.yaml']);
        return first(ends(init, 0), ends(validated, 0));
      },
    }),
  ),
  {
    input: 'A8',
    right: 'a program named no is quoted',
    async check(trial) {
      const init = await trial.holdfast(['init', 'base.csv', '--name', 'no', '-o', 'no.yaml']);
      return first(ends(init, 0), ends(await trial.holdfast(['validate', 'no.yaml']), 0));
    },
  },
  {
    input: '16',
    right: 'one: the column that is the answer is left out and named',
    check: async (trial) => ends(await trial.holdfast(['init', 'one.csv', '-o', 'p.yaml']), 0, /complaint/),
  },
  {
    input: '16',
    right: 'text3: the text that knows the answer as a whole is left out',
    async check(trial) {
      const init = await trial.holdfast(['init', 'text3.csv', '-o', 'p.yaml']);
      return first(
        ends(init, 0, /ticket_state/),
        unless(!/AUC (1\.000|0\.9[789])/.test(init.said) || /almost too good/.test(init.said), 'too good, not doubted'),
      );
    },
  },
  ...['split', 'noise'].map(
    (name): Case => ({
      input: '16',
      right: `${name}: an AUC of 0.97 and more is doubted, and the strongest column named`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        const good = /AUC (1\.000|0\.9[789]\d?)/.test(init.said);
        return first(
          ends(init, 0),
          unless(!good || /too good/.test(init.said), 'an AUC of 0.97 or more, without a doubt'),
        );
      },
    }),
  ),
  {
    input: '17',
    right: 'no id: says a way on',
    check: async (trial) =>
      ends(await trial.holdfast(['init', 'noid.csv', '-o', 'p.yaml']), 78, /--id/, /row_number|several columns/),
  },
  ...(
    [
      ['phone', ['--id', 'phone number']],
      ['email', ['--id', 'email']],
      ['ssn', ['--id', 'ssn']],
      ['custmail', []],
    ] as const
  ).map(
    ([name, id]): Case => ({
      input: '17',
      right: `${name}: an id that identifies a person is warned of`,
      check: async (trial) =>
        ends(await trial.holdfast(['init', `${name}.csv`, ...id, '-o', 'p.yaml']), 0, /Postgres|says nothing|personal/),
    }),
  ),
];
