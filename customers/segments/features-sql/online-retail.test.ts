import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../../../base/duckdb/engine.ts';
import { PROXY_CHURN } from '../proxy-churn.ts';
import { featuresSql } from './build.ts';
import { COMPLETENESS_LIMITS, completeness } from './completeness.ts';
import { dayCounts, dayCountsSql } from './completeness-sql.ts';
import { DUCKDB } from './dialect.ts';
import type { InputQuery } from './inputs.ts';
import { planFeatures } from './plan.ts';

/** A retailer's invoices (UCI, CC BY 4.0), which are not part of the repository. */
const INVOICES = fileURLToPath(
  new URL('../../../../shared/data/online_retail/online_retail_2010_2011.parquet', import.meta.url),
);
const FROM = `FROM ${literal(INVOICES)} WHERE CustomerID IS NOT NULL`;
const query = (sql: string, columns: Readonly<Record<string, string>>): InputQuery => ({
  query: sql,
  columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
});
const INPUTS = {
  transactions: query(
    `SELECT CustomerID AS customer_id, InvoiceDate AS "at", Quantity * UnitPrice AS amount, InvoiceNo AS invoice,
      CASE WHEN Quantity < 0 OR InvoiceNo LIKE 'C%' THEN 'refund' ELSE 'purchase' END AS kind ${FROM}`,
    { customer_id: 'DOUBLE', at: 'TIMESTAMP', amount: 'DOUBLE', invoice: 'VARCHAR', kind: 'VARCHAR' },
  ),
  customers: query(`SELECT CustomerID AS customer_id, min(InvoiceDate) AS since ${FROM} GROUP BY 1`, {
    customer_id: 'DOUBLE',
    since: 'TIMESTAMP',
  }),
};
const engine = () => openEngine({ threads: 2, memoryMb: 1024, scratchFolder: '/nonexistent' });
const withData = existsSync(INVOICES) ? describe : describe.skip;

// Of the clustered customers: how many, proxy churn, and sums of the features, one by one in plain Python; the others by group.
const MONTHS = [
  {
    date: '2011-04-01',
    never: 55,
    lapsed: 0,
    customers: 2134,
    churned: 671,
    sums: [98640, 3306, 1612083.15, 229.2071, 158122],
  },
  {
    date: '2011-05-01',
    never: 54,
    lapsed: 0,
    customers: 2434,
    churned: 933,
    sums: [138661, 3525, 1530656.551, 267.0316, 227860],
  },
  {
    date: '2011-06-01',
    never: 49,
    lapsed: 0,
    customers: 2718,
    churned: 1199,
    sums: [173883, 3927, 1700976.821, 293.1496, 309038],
  },
  {
    date: '2011-07-01',
    never: 42,
    lapsed: 0,
    customers: 2960,
    churned: 1330,
    sums: [213689, 4029, 1784421.791, 329.473, 395749],
  },
  {
    date: '2011-08-01',
    never: 45,
    lapsed: 0,
    customers: 3148,
    churned: 1591,
    sums: [257778, 4261, 1932925.601, 349.6554, 490616],
  },
  {
    date: '2011-09-01',
    never: 43,
    lapsed: 0,
    customers: 3317,
    churned: 1834,
    sums: [308955, 3926, 1863153.151, 370.8202, 591605],
  },
  {
    date: '2011-10-01',
    never: 42,
    lapsed: 0,
    customers: 3616,
    churned: 1854,
    sums: [335909, 4326, 2186084.003, 395.0626, 695401],
  },
  {
    date: '2011-11-01',
    never: 36,
    lapsed: 0,
    customers: 3974,
    churned: 1852,
    sums: [375569, 4886, 2597415.622, 428.4828, 814884],
  },
  {
    date: '2011-12-01',
    never: 33,
    lapsed: 0,
    customers: 4298,
    churned: 1891,
    sums: [393102, 6267, 3116604.402, 451.1897, 940424],
  },
];

withData('of 4,372 customers of a retailer', () => {
  test.each(MONTHS)(
    '$date: the features are those of an independent computation',
    async ({ date, never, lapsed, ...clustered }) => {
      await using duckdb = await engine();
      const { features } = planFeatures(new Set(['transactions', 'customers']), date, '2010-12-01');
      const snapshot = { date, timeZone: 'Europe/London' };
      const sql = featuresSql(
        { inputs: INPUTS, snapshot, features, activeWithinDays: 365, proxyChurn: PROXY_CHURN },
        DUCKDB,
      );
      const sums = features.map((name) => `round(sum(${name}), 4)`).join(', ');
      const rows = await duckdb.rows(
        `SELECT "group", count(*)::INTEGER AS customers, count(*) FILTER (WHERE proxy_churn)::INTEGER AS churned, [${sums}] AS sums FROM (${sql}) GROUP BY 1 ORDER BY 1`,
      );
      expect(rows[0]).toEqual({ group: 'clustered', ...clustered });
      expect(rows.slice(1).map((row) => Object.values(row).slice(0, 2))).toEqual(
        [
          ['lapsed', lapsed],
          ['never-purchased', never],
        ].filter(([, count]) => count !== 0),
      );
    },
  );

  // Easter, and a royal wedding.
  test('a snapshot stops at a holiday until a person says that it is one', async () => {
    await using duckdb = await engine();
    const said = async (date: string, quietDays: readonly string[] = []) => {
      const snapshot = { date, timeZone: 'Europe/London' };
      const rows = await duckdb.rows<Record<string, unknown>>(
        dayCountsSql('transactions', INPUTS.transactions, snapshot, DUCKDB),
      );
      const limits = { ...COMPLETENESS_LIMITS, quietDays };
      const checks = completeness('transactions', rows.map(dayCounts), date, undefined, limits);
      return checks.filter(({ outcome }) => outcome === 'stop').map(({ sentence }) => sentence);
    };
    expect(await said('2011-04-01')).toEqual([]);
    expect(await said('2011-05-01')).toEqual([
      'The newest of transactions is of 2011-04-28, 52 hours before the snapshot, without 1 quiet day; they may be 24 hours late. Wait until the data is there, or list days on which nothing happened as quiet.',
      'Transactions have no row on 2011-04-22, 2011-04-24, 2011-04-25, 2011-04-29, where 10 or more are usual on such a weekday. Load the days, or list them as quiet if nothing happened.',
    ]);
    expect(await said('2011-05-01', ['2011-04-22', '2011-04-24', '2011-04-25', '2011-04-29'])).toEqual([]);
    expect(await said('2011-12-01')).toEqual([]);
  });
});
