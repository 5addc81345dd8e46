import { type Case, ends, first } from '../trial.ts';

/** Files that a CSV reader stumbles on: read, or refused with the line and the remedy. */
const TROUBLES: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  '08': {
    sep: /sep=/,
    title: /header/,
    titleq: /header/,
    comment: /header|comment/,
    blank1: /empty|blank|line 1/i,
    'title-padded': /title|header/,
    dashes: /dash|line 2/i,
    footer: /last line/,
    mixed: /CRLF|line end/,
  },
  '09': { header: /header.*delimiter|delimiter.*header|header.*ends in/i, one: /line 5/, rows: /./ },
  '10': { backslash: /backslash/ },
  '11': {
    'city-1252': /iconv -f windows-1252/,
    'hdr-1252': /iconv -f windows-1252/,
    u16: /iconv -f utf-16/i,
    u16le: /iconv -f utf-16/i,
    u16be: /iconv -f utf-16/i,
    'gz-as-csv': /\.csv\.gz/,
  },
};

/** What is an answer only when it is read: reading "-----" as a customer is none. */
const NEVER_READ = new Set([
  'footer',
  'title-padded',
  'title',
  'titleq',
  'comment',
  'city-1252',
  'u16',
  'u16le',
  'u16be',
]);

export const FILES: readonly Case[] = [
  ...Object.entries(TROUBLES).flatMap(([input, files]) =>
    Object.entries(files).map(
      ([name, remedy]): Case => ({
        input,
        right: `${name}: read, or refused with its line and what to do`,
        async check(trial) {
          const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
          if (init.status === 0 && NEVER_READ.has(name) && !remedy.test(init.said)) return 'read, without a word';
          if (init.status !== 0) return ends(init, 78, remedy);
          const run = await trial.holdfast(['run', 'p.yaml', '--data', 'd']);
          if (run.status !== 0) return ends(run, 78, remedy);
          const ids = await trial.artifact('d', 'extract/1/candidates.parquet', 'customer_id');
          const odd = ids.filter(({ customer_id: id }) => !/[0-9]/.test(String(id)));
          return odd.length === 0 ? undefined : `${odd.length} customers without a figure in their id`;
        },
      }),
    ),
  ),
  {
    input: '10',
    right: 'a run says of a file with backslashes what init says',
    async check(trial) {
      const run = await trial.holdfast([
        'run',
        'clean.yaml',
        '--source',
        'customers=backslash.csv',
        '--dry-run',
        '--data',
        'd',
      ]);
      return ends(run, 78, /backslash/);
    },
  },
  ...['header-nl', 'header-crlf', 'header-semicolons'].map(
    (name): Case => ({
      input: 'A5',
      right: `${name}: read`,
      async check(trial) {
        const init = await trial.holdfast(['init', `${name}.csv`, '-o', 'p.yaml']);
        return first(ends(init, 0), ends(await trial.holdfast(['run', 'p.yaml', '--data', 'd']), 0));
      },
    }),
  ),
];
