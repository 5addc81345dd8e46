import { literal } from '../../base/duckdb/engine.ts';
import type { Dialect } from './dialect.ts';
import { asDay } from './expressions.ts';
import type { ColumnProfile } from './profile.ts';
import { type CommonTable, KNOWN } from './reading.ts';
import { shown } from './words.ts';

/** Column of `as_of`: what is odd of its day, for people; NULL where nothing is. */
export const DOUBTS = 'doubts';

/** Values of which newest days are looked at: too few to be how a file ends. */
const FEW_SHARE = 0.01;
/** Values below which a file has no end that one could see. */
const LEAST_VALUES = 10;
/** Days without a value after which the few newest may stand alone. */
const LEAST_GAP = 30;
/** How many times longer such a gap is than the days before it that have so many times more values than those few. */
const TIMES_LONGER = 3;
const TIMES_MORE = 10;
/** Different days before a gap at least that it is held against: days may all be the first of a month. */
const OTHER_DAYS = 3;

/**
 * The table `as_of`, the day that a file is of: its newest day that has come, but for a few that stand alone far after
 * all others, as by a slip of the year, which would age everybody. A file that lies about for a year is read as it was
 * on its own day, and the same file gives the same answer every time.
 * @param sources columns whose newest day is that of the file
 */
export function asOfTable(sources: readonly ColumnProfile[], dialect: Dialect): CommonTable {
  const days = sources.map((source) => `SELECT ${asDay(source, dialect)} AS holdfast_day FROM ${KNOWN}`);
  const names = literal(
    `newest days in ${sources.map(({ name }) => shown(name)).join(', ')} stand alone`.replaceAll(';', ','),
  );
  const text = (sql: string) => `CAST(${sql} AS VARCHAR)`;
  return {
    comments: [
      'Days are counted to the newest day in the file, but for a few that stand alone far after all others. For a file that',
      `is written right before each run, put SELECT current_date AS holdfast_day, NULL AS ${DOUBTS} in its place.`,
    ],
    lines: [
      'as_of AS (',
      '  SELECT max(last_day) AS holdfast_day,',
      '    CASE WHEN max(last_day) < max(holdfast_day) THEN',
      `      ${names} || ' (' || ${text('sum(times) FILTER (WHERE holdfast_day > last_day)')} || ' of ' || ${text('sum(times)')} || ', up to ' ||`,
      `      ${text('max(holdfast_day)')} || '), ' || ${text('max(gap) FILTER (WHERE holdfast_day = last_day)')} || ' days after all others: days are counted to ' ||`,
      `      ${text('max(last_day)')} || ', and the later ones count as still to come. Are they wrong?'`,
      `    END AS ${DOUBTS}`,
      '  FROM (',
      '    SELECT *, coalesce(min(holdfast_day) FILTER (WHERE ends_here) OVER (), max(holdfast_day) OVER ()) AS last_day',
      '    FROM (',
      `      SELECT *, total >= ${LEAST_VALUES} AND later <= few AND gap > ${LEAST_GAP} AND gap > ${TIMES_LONGER} *`,
      `        (holdfast_day - least(day_before, min(holdfast_day) FILTER (WHERE later <= ${1 + TIMES_MORE} * few) OVER ())) AS ends_here`,
      '      FROM (',
      `        SELECT *, greatest(1, ${FEW_SHARE} * total) AS few, newer - times AS later FROM (`,
      '          SELECT holdfast_day, times, sum(times) OVER () AS total, sum(times) OVER newest_first AS newer,',
      '            lag(holdfast_day) OVER newest_first - holdfast_day AS gap,',
      `            coalesce(lead(holdfast_day, ${OTHER_DAYS}) OVER newest_first, min(holdfast_day) OVER ()) AS day_before`,
      `          FROM (SELECT holdfast_day, count(*) AS times FROM (${days.join(' UNION ALL ')}) AS days`,
      '            WHERE holdfast_day <= current_date GROUP BY holdfast_day) AS each_day',
      '          WINDOW newest_first AS (ORDER BY holdfast_day DESC)',
      '        ) AS spread',
      '      ) AS counted',
      '    ) AS gaps',
      '  ) AS ends',
      ')',
    ],
  };
}
