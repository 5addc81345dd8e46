import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { type Engine, openEngine } from '../../base/duckdb/engine.ts';
import { evaluate, type Row } from './evaluate.ts';
import type { Comparison, Predicate, Term } from './predicate.ts';
import { bindings, toSql } from './sql.ts';
import type { ColumnKinds } from './types.ts';

/** Numbers in [0, 1) from a seed (a linear congruential generator, modulus 2^32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const KINDS: ColumnKinds = new Map([
  ['number one', 'number'],
  ['n"2', 'number'],
  ['whole', 'number'],
  ['t1', 'text'],
  ['t2', 'text'],
  ['flag', 'boolean'],
] as const);

const NUMBERS = [0, -0, 1, -1, 0.5, 0.3, 2, 90, 1e308, -1e308, Number.NaN, Number.POSITIVE_INFINITY];
const TEXTS = ['', 'a', 'ab', "it's", '"q"', 'premium', 'basic', 'é', '\uFFFD', '\u{1F600}', '%', '; DROP TABLE t'];
const COMPARISONS: readonly Comparison[] = ['=', '!=', '<', '<=', '>', '>='];

function generator(random: () => number) {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const literals = NUMBERS.filter(Number.isFinite);

  function numeric(depth: number): Term {
    if (depth === 0 || random() < 0.4) {
      return pick<Term>([
        { op: 'column', name: pick(['number one', 'n"2', 'whole']) },
        { op: 'literal', value: pick(literals) },
        { op: 'rank', column: 't1', order: ['basic', 'premium', "it's"] },
      ]);
    }
    return { op: pick(['+', '-', '*', '/'] as const), left: numeric(depth - 1), right: numeric(depth - 1) };
  }
  const text = (): Term =>
    pick<Term>([
      { op: 'column', name: pick(['t1', 't2']) },
      { op: 'literal', value: pick(TEXTS) },
    ]);

  function atom(): Predicate {
    return pick<() => Predicate>([
      () => ({ op: 'compare', comparison: pick(COMPARISONS), left: numeric(2), right: numeric(2) }),
      () => ({ op: 'compare', comparison: pick(COMPARISONS), left: text(), right: text() }),
      () => ({ op: 'in', term: numeric(1), values: [pick(literals), pick(literals)] }),
      () => ({ op: 'in', term: text(), values: [pick(TEXTS), pick(TEXTS), pick(TEXTS)] }),
      () => ({ op: 'missing', term: pick([text(), numeric(2), { op: 'column', name: 'flag' } as const]) }),
      () => ({
        op: 'text',
        match: pick(['starts-with', 'ends-with', 'contains'] as const),
        term: text(),
        value: pick(TEXTS),
      }),
      () => ({ op: 'truth', term: { op: 'column', name: 'flag' } }),
      () => ({ op: 'truth', term: { op: 'literal', value: random() < 0.5 } }),
    ])();
  }

  function predicate(depth: number): Predicate {
    if (depth === 0 || random() < 0.25) return atom();
    const some = () => Array.from({ length: Math.floor(random() * 4) }, () => predicate(depth - 1));
    return pick<() => Predicate>([
      () => ({ op: 'and', predicates: some() }),
      () => ({ op: 'or', predicates: some() }),
      () => ({ op: 'not', predicate: predicate(depth - 1) }),
      () => ({ op: 'at-least', count: Math.floor(random() * 3), predicates: some() }),
    ])();
  }

  const orNull = <T>(value: T) => (random() < 0.25 ? null : value);
  const row = (): Row => ({
    'number one': orNull(pick(NUMBERS)),
    'n"2': orNull(pick(NUMBERS)),
    whole: orNull(pick([0, 1, 2, -7])),
    t1: orNull(pick(TEXTS)),
    t2: orNull(pick(TEXTS)),
    flag: orNull(random() < 0.5),
  });
  return { predicate, row };
}

async function load(engine: Engine, rows: readonly Row[]): Promise<void> {
  await engine.run(
    'CREATE TABLE t (id INTEGER, "number one" DOUBLE, "n""2" DOUBLE, whole BIGINT, t1 VARCHAR, t2 VARCHAR, flag BOOLEAN)',
  );
  for (const [id, row] of rows.entries()) {
    await engine.run(
      'INSERT INTO t VALUES ($1, $2::DOUBLE, $3::DOUBLE, $4::BIGINT, $5::VARCHAR, $6::VARCHAR, $7::BOOLEAN)',
      [
        id,
        ...Object.values(row).map((value) =>
          typeof value === 'number' ? String(value) : (value as string | boolean | null),
        ),
      ],
    );
  }
}

test('SQL and the plain evaluation agree on every predicate and every row, missing values included', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  const { predicate, row } = generator(seeded(20_261_123));
  const rows = Array.from({ length: 60 }, row);
  await load(engine, rows);
  const seen = new Set<boolean | undefined>();
  for (let round = 0; round < 120; round++) {
    const random = predicate(3);
    const { values, bind } = bindings();
    const sql = toSql(random, KINDS, bind);
    const answers = await engine.rows<{ holds: boolean | null }>(`SELECT ${sql} AS holds FROM t ORDER BY id`, values);
    const expected = rows.map((each) => evaluate(random, each));
    for (const value of expected) seen.add(value);
    expect({ random, answers: answers.map(({ holds }) => holds ?? undefined) }).toEqual({ random, answers: expected });
  }
  expect(seen).toEqual(new Set([true, false, undefined]));
});

test('no value of a predicate is part of its SQL', () => {
  const { values, bind } = bindings();
  const nasty = "x' OR 1=1 --";
  const predicate: Predicate = {
    op: 'and',
    predicates: [
      {
        op: 'compare',
        comparison: '=',
        left: { op: 'column', name: 'a" OR 1=1 --' },
        right: { op: 'literal', value: nasty },
      },
      { op: 'in', term: { op: 'rank', column: 't1', order: [nasty] }, values: [4711] },
      { op: 'text', match: 'contains', term: { op: 'column', name: 't1' }, value: nasty },
    ],
  };
  const sql = toSql(predicate, KINDS, bind);
  expect(sql).not.toContain("x'");
  expect(sql).not.toContain('4711');
  expect(sql).toContain('"a"" OR 1=1 --"');
  expect(values).toEqual([nasty, nasty, 0, 4711, nasty]);
});
