import { literal } from '../../base/duckdb/engine.ts';

/** Codes that are written in two ways, that of ISO 3166 first. */
const SAME: readonly (readonly [iso: string, other: string])[] = [
  ['GB', 'UK'],
  ['GR', 'EL'],
];

/** The code of ISO 3166 that a country's code stands for: UK is GB, EL is GR. */
export function isoCode(code: string): string {
  return SAME.find(([, other]) => other === code)?.[0] ?? code;
}

/** All codes of two letters that a code of ISO 3166 is written as. */
export function codesOf(iso: string): readonly string[] {
  return SAME.find(([code]) => code === iso) ?? [iso];
}

/** A marketplace as a program writes it, whatever its case and whether it is UK or GB; others as they are. */
export function asWritten(marketplace: string, marketplaces: readonly string[]): string {
  const code = isoCode(marketplace.trim().toUpperCase());
  return marketplaces.find((written) => isoCode(written) === code) ?? marketplace;
}

/** SQL of the same. */
export function asWrittenSql(value: string, marketplaces: readonly string[]): string {
  const written = [...marketplaces, ...SAME.flat()].map((code) => [code, asWritten(code, marketplaces)] as const);
  const others = written.filter(([code, as]) => code !== as);
  const plain = written.filter(([code, as]) => code === as && marketplaces.includes(code));
  const code = `upper(trim(${value}))`;
  return `CASE ${others.map(([from, to]) => `WHEN ${code} = ${literal(from)} THEN ${literal(to)}`).join(' ')}
    WHEN list_contains([${plain.map(([from]) => literal(from)).join(', ')}], ${code}) THEN ${code} ELSE ${value} END`;
}
