import { printable } from '../../base/text/printable.ts';
import type { Counts } from '../../contract/counts.ts';
import { duration, integer } from './figures.ts';
import type { RunReport } from './report.ts';

/** Stages of any pipeline as lines for people: what each read, passed on and counted, and how long it took. */
export function stageList({ run, pipeline = '', slot, dryRun, stages, seconds = 0 }: RunReport): string {
  const heading = `${run}  ${pipeline}  as of ${slot}${dryRun ? '  (dry run)' : ''}`;
  const width = Math.max(9, ...stages.map(({ name }) => name.length));
  const lines = stages.map(({ name, rowsIn, rowsOut, counts, seconds: taken, reusedFrom }) => {
    const rows = rowsIn === 0 && rowsOut === 0 ? [] : [`${integer(rowsIn)} → ${integer(rowsOut)}`];
    const time = reusedFrom === undefined ? duration(taken) : `reused from ${reusedFrom}`;
    return `${name.padEnd(width)}  ${[...rows, ...countedWords(counts), time].join('   ')}`;
  });
  return `${[heading, '', ...lines, '', `${'took'.padEnd(width)}  ${duration(seconds)}`].map(printable).join('\n')}\n`;
}

function countedWords(counts: Counts): string[] {
  return Object.entries(counts).flatMap(([name, count]) =>
    typeof count === 'number'
      ? [`${name} ${integer(count)}`]
      : Object.entries(count).map(([part, rows]) => `${name} ${part} ${integer(rows)}`),
  );
}
