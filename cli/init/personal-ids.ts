import { identifier, literal } from '../../base/duckdb/engine.ts';
import { readingFrom } from '../../providers/warehouses/duckdb/failure.ts';
import type { ColumnProfile } from './profile.ts';
import { CONNECTOR_ID, type Source } from './source.ts';
import { shown } from './words.ts';

interface Kind {
  readonly what: string;
  /** Of the column's words. */
  readonly name: RegExp;
  /** Of most of its values, as DuckDB's regular expression. */
  readonly values: string;
}

/** What identifies a person outside the business. */
const KINDS: readonly Kind[] = [
  { what: 'e-mail addresses', name: /(?:^| )e ?mail(?: |$)/, values: '^[^@ ]+@[^@ ]+[.][^@ ]+$' },
  { what: 'account numbers (IBAN)', name: /(?:^| )iban(?: |$)/, values: '^[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}$' },
  {
    what: 'social security or passport numbers',
    name: /(?:^| )(?:ssn|social security|passport|national id|tax id|nino|personal(?:ausweis)? ?(?:id|nummer|number))(?: |$)/,
    values: '^[0-9]{3}-[0-9]{2}-[0-9]{4}$',
  },
  {
    what: 'telephone numbers',
    name: /(?:^| )(?:phone|mobile|telephone|telefon|msisdn|cell ?phone)(?: |$)/,
    values: '^[+][0-9][0-9 ()/.-]{6,}$|^[(]?[0-9]{2,5}[)]?[ /.-][0-9][0-9 /.-]{3,}$',
  },
  {
    what: 'names of people',
    name: /^(?:full|first|last|customer|client|user|given|family)? ?(?:name|surname|nachname|vorname)$/,
    values: "^\\p{Lu}[\\p{L}'.-]+(,? \\p{Lu}[\\p{L}'.-]*)+$",
  },
];

const MOST = 0.5;
const ROWS = 1000;

/** A warning where the ids of customers are what identifies people elsewhere, such as their e-mail addresses. */
export async function personalIds(source: Source, { name, words, type }: ColumnProfile): Promise<string[]> {
  const id = `trim(CAST(${identifier(name)} AS VARCHAR))`;
  const shares = KINDS.map(
    ({ values }, index) => `avg(CAST(regexp_matches(${id}, ${literal(values)}) AS INTEGER)) AS share_${index}`,
  );
  const [found] = await readingFrom(CONNECTOR_ID, 'look at its ids', () =>
    source.engine.rows<Record<string, number | null>>(
      `SELECT ${shares.join(', ')} FROM (SELECT ${identifier(name)} FROM ${source.table} WHERE ${id} <> '' LIMIT ${ROWS})`,
    ),
  );
  const isText = type === 'VARCHAR';
  const kind = KINDS.find((one, index) => one.name.test(words) || (isText && Number(found?.[`share_${index}`]) > MOST));
  if (kind === undefined) return [];
  return [
    `the ids of the customers (${shown(name)}) are ${kind.what}: ids go into Postgres, the API, its page and the logs of ` +
      'proxies. Use a key that says nothing of a person, such as a number of your own or a keyed hash.',
  ];
}
