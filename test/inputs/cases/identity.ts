import { type Case, ends, first, unless } from '../trial.ts';

const SHOP = [
  `ATTACH 'shop.duckdb' AS shop (STORAGE_VERSION 'v1.2.0')`,
  `CREATE TABLE shop.orders AS FROM 'orders.parquet'`,
  'CREATE TABLE shop.features (customer_id BIGINT, login_frequency DOUBLE, verified BOOLEAN, account_status VARCHAR)',
  `INSERT INTO shop.features VALUES (17850, 1, true, 'active'), (13047, 2, true, 'active')`,
  'CREATE TABLE shop.past_offers (customer_id BIGINT, program_id VARCHAR, offered_at TIMESTAMP)',
  `INSERT INTO shop.past_offers VALUES (17850, 'dbl', '2026-11-01')`,
  'DETACH shop',
];

/** Ids that changed their type, or are none. */
export const IDENTITY: readonly Case[] = [
  {
    input: '07',
    right: 'the feature store knows 17850.0 as 17850',
    async check(trial) {
      await trial.duckdb(
        ...SHOP.map((sql) => sql.replace(/'(shop\.duckdb|orders\.parquet)'/, `'${trial.path('$1')}'`)),
      );
      const run = await trial.holdfast(['run', 'fs.yaml', '--data', 'd1', '--now', '2026-11-23T02:00:00Z']);
      return run.status === 0
        ? unless(!/trust[^\n]*[−-]2/.test(run.said), 'both are removed by trust')
        : ends(run, 78, /feature/);
    },
  },
  {
    input: '07',
    right: 'the offer history knows 17850.0 as 17850',
    async check(trial) {
      await trial.duckdb(
        ...SHOP.map((sql) => sql.replace(/'(shop\.duckdb|orders\.parquet)'/, `'${trial.path('$1')}'`)),
      );
      const run = await trial.holdfast(['run', 'oh.yaml', '--data', 'd2', '--now', '2026-11-23T02:00:00Z']);
      return ends(run, 0, /cap [−-]1/);
    },
  },
  {
    input: '07',
    right: 'whole numbers that became decimals are last week’s customers',
    async check(trial) {
      const args = ['run', 'csv.yaml', '--data', 'd3'];
      const before = await trial.holdfast([...args, '--now', '2026-11-16T02:00:00Z']);
      const after = await trial.holdfast([...args, '--now', '2026-11-23T02:00:00Z', '--source', 'shop=orders.csv']);
      return first(ends(before, 0), ends(after, 0, /cap [−-]2/));
    },
  },
  {
    input: '07',
    right: 'parts of BIGINT and DOUBLE ids are the same customers',
    async check(trial) {
      const run = await trial.holdfast(['run', 'parts.yaml', '--data', 'd4']);
      const ids = await trial.artifact('d4', 'extract/1/candidates.parquet', 'customer_id');
      const decimals = ids.filter(({ customer_id: id }) => String(id).includes('.'));
      return first(ends(run, 0), unless(decimals.length === 0, `${decimals.length} ids with a decimal point`));
    },
  },
  ...(
    [
      ['id_N', 'x'],
      ['idb_NA', 'w'],
    ] as const
  ).map(
    ([name, program]): Case => ({
      input: '10',
      right: `${name}: rows without an id are no customer`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '--name', program, '-o', 'x.yaml']);
        const run = await trial.holdfast(['run', 'x.yaml', '--data', 'd']);
        const refused = /HF_REJECTS_OVER_THRESHOLD/.test(run.said);
        if (refused) return first(ends(init, 0), ends(run, 78, /customer_id missing/));
        const odd = await trial.artifact(
          'd',
          'extract/1/candidates.parquet',
          String.raw`count(*) FILTER (WHERE NOT regexp_full_match(customer_id, 'C[0-9]+')) AS odd`,
        );
        return first(ends(init, 0), ends(run, 0), unless(Number(odd[0]?.odd) === 0, `${odd[0]?.odd} odd customers`));
      },
    }),
  ),
];
