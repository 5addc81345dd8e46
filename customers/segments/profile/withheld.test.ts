import { describe, expect, test } from '@jest/globals';
import { randomNumbers } from '../../../base/math/random-numbers.ts';
import { FEWEST, type Told, toldCounts, toldSizes } from './withheld.ts';
import { type Migration, type ToldMigration, toldMigration } from './withheld-migration.ts';

describe('counts of groups', () => {
  test.each<[string, number[], Told[], Told]>([
    ['all large', [100, 10, 30], [100, 10, 30], 140],
    ['nobody in a group is told', [100, 0, 30], [100, 0, 30], 130],
    ['one small takes the next smallest with it', [100, 9, 30], [100, undefined, undefined], 139],
    ['two small of ten together hide each other', [100, 9, 1], [100, undefined, undefined], 110],
    ['two small under ten together take another', [100, 4, 3, 20], [100, undefined, undefined, undefined], 127],
    ['nothing to hide behind', [0, 4], [0, undefined], undefined],
    ['one small alone', [4], [undefined], undefined],
    ['all together under ten', [4, 5], [undefined, undefined], undefined],
    ['no groups', [], [], 0],
  ])('%s', (_, counts, told, total) => {
    expect(toldCounts(counts)).toEqual({ counts: told, total });
  });

  test('a group beside the segments is not hidden among them', () => {
    expect(toldSizes([100, 50], [4, 0]).total).toBeUndefined();
    expect(toldSizes([100, 50], [4, 0]).segments).toEqual({ counts: [100, 50], total: 150 });
    expect(toldSizes([100, 50], [4, 30])).toMatchObject({
      others: { counts: [undefined, undefined], total: 34 },
      total: 184,
    });
  });
});

type Equation = readonly [coefficients: readonly number[], value: number];

/** Everything that leaves about a migration, as equations over the cells, then who is gone, then who came. */
class Attack {
  readonly equations: Equation[] = [];
  readonly truth: readonly number[];
  readonly table: Migration;
  constructor(table: Migration, told: ToldMigration) {
    this.table = table;
    const { from, to, both, gone, arrived } = table;
    this.truth = [...both.flat(), ...gone, ...arrived];
    for (const side of [0, 1] as const) {
      const groups = side === 0 ? from : to;
      const sets = groups.map((_, place) => (side === 0 ? this.row(place) : this.column(place)));
      const first = groups.filter(({ segment }) => segment !== undefined).length;
      const sizes = sets.map((set) => this.countOf(set));
      const { segments, others, total } = toldSizes(sizes.slice(0, first), sizes.slice(first));
      for (const [place, count] of [...segments.counts, ...others.counts].entries()) this.know(sets[place], count);
      this.know(sets.slice(0, first).flat(), segments.total);
      this.know(sets.slice(first).flat(), others.total);
      this.know(sets.flat(), total);
    }
    const members = (name: string, groups: Migration['from']) =>
      name.split(' or ').map((one) => groups.findIndex((group) => group.name === one));
    for (const [i, name] of told.from.entries()) {
      const rows = members(name, from);
      for (const [j, other] of told.to.entries()) {
        const cells = rows.flatMap((row) => members(other, to).map((column) => this.cell(row, column)));
        this.know(cells, told.both[i]?.[j]);
      }
      this.know(
        rows.map((row) => this.gone(row)),
        told.gone[i],
      );
    }
    for (const [j, other] of told.to.entries())
      this.know(
        members(other, to).map((column) => this.came(column)),
        told.arrived[j],
      );
    const segments = from.flatMap(({ segment: one }, i) =>
      to.flatMap(({ segment: two }, j) =>
        one === undefined || two === undefined ? [] : [{ cell: this.cell(i, j), stays: one === two }],
      ),
    );
    this.know(
      segments.filter(({ stays }) => stays).map(({ cell }) => cell),
      told.moves?.stayed,
    );
    this.know(
      segments.filter(({ stays }) => !stays).map(({ cell }) => cell),
      told.moves?.moved,
    );
  }

  cell = (i: number, j: number) => i * this.table.to.length + j;
  gone = (i: number) => this.table.both.flat().length + i;
  came = (j: number) => this.table.both.flat().length + this.table.from.length + j;
  row = (i: number) => [...this.table.to.map((_, j) => this.cell(i, j)), this.gone(i)];
  column = (j: number) => [...this.table.from.map((_, i) => this.cell(i, j)), this.came(j)];
  countOf = (places: readonly number[]) => places.reduce((sum, place) => sum + (this.truth[place] as number), 0);

  private know(places: readonly number[] | undefined, count: Told): void {
    if (places === undefined || count === undefined) return;
    expect(this.countOf(places)).toBe(count);
    // A figure that leaves is of nobody or of ten at least.
    expect(count === 0 || count >= FEWEST).toBe(true);
    this.equations.push([this.truth.map((_, place) => (places.includes(place) ? 1 : 0)), count]);
  }

  /** Which cells, rows and columns of one to nine customers follow from the equations. */
  found(): number[][] {
    const secret = [...this.truth.keys()].map((place) => [place]);
    secret.push(...this.table.from.map((_, i) => this.row(i)), ...this.table.to.map((_, j) => this.column(j)));
    const basis = eliminated(this.equations.map(([coefficients]) => coefficients));
    return secret.filter((places) => {
      const count = this.countOf(places);
      if (count === 0 || count >= FEWEST) return false;
      return isSpanned(
        basis,
        this.truth.map((_, place) => (places.includes(place) ? 1 : 0)),
      );
    });
  }

  /** Cells of one to nine customers that could not be ten more, as far as moves of two or four cells go. */
  narrow(): number[] {
    const { from, to } = this.table;
    const places = (i: number, j: number): number[] =>
      i < from.length ? [j < to.length ? this.cell(i, j) : this.gone(i)] : j < to.length ? [this.came(j)] : [];
    const rows = Array.from({ length: from.length + 1 }, (_, i) => i);
    const columns = Array.from({ length: to.length + 1 }, (_, j) => j);
    const small = rows.flatMap((i) =>
      columns.flatMap((j) => (places(i, j).some((place) => between(this.truth[place])) ? [[i, j] as const] : [])),
    );
    return small.flatMap(([i, j]) => {
      const moves = rows.flatMap((row) =>
        columns.map((column) => ({
          up: row === i || column === j ? places(i, j) : [...places(i, j), ...places(row, column)],
          down:
            row === i ? places(i, column) : column === j ? places(row, j) : [...places(i, column), ...places(row, j)],
          isMove: row !== i || column !== j,
        })),
      );
      const isWide = moves.some(
        ({ up, down, isMove }) =>
          isMove &&
          down.every((place) => (this.truth[place] as number) >= FEWEST) &&
          this.equations.every(([coefficients]) => sumOf(coefficients, up) === sumOf(coefficients, down)),
      );
      return isWide ? [] : places(i, j);
    });
  }
}

const between = (count: number | undefined): boolean => count !== undefined && count > 0 && count < FEWEST;
const sumOf = (coefficients: readonly number[], places: readonly number[]): number =>
  places.reduce((sum, place) => sum + (coefficients[place] as number), 0);

const PRIME = 1_000_003;

/** Rows with a pivot each, over the integers modulo a prime. */
function eliminated(rows: readonly (readonly number[])[]): Map<number, number[]> {
  const basis = new Map<number, number[]>();
  for (const row of rows) {
    const rest = reduced(basis, row);
    const pivot = rest.findIndex((value) => value !== 0);
    if (pivot < 0) continue;
    const inverse = power(rest[pivot] as number, PRIME - 2);
    basis.set(
      pivot,
      rest.map((value) => (value * inverse) % PRIME),
    );
  }
  return basis;
}

function reduced(basis: ReadonlyMap<number, readonly number[]>, row: readonly number[]): number[] {
  const rest = [...row];
  for (let place = 0; place < rest.length; place++) {
    const factor = rest[place] as number;
    const pivot = basis.get(place);
    if (factor === 0 || pivot === undefined) continue;
    for (let at = place; at < rest.length; at++) {
      rest[at] = ((rest[at] as number) + (PRIME - factor) * (pivot[at] as number)) % PRIME;
    }
  }
  return rest;
}

const isSpanned = (basis: ReadonlyMap<number, readonly number[]>, row: readonly number[]): boolean =>
  reduced(basis, row).every((value) => value === 0);

function power(base: number, exponent: number): number {
  let [result, factor] = [1, base];
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = (result * factor) % PRIME;
    factor = (factor * factor) % PRIME;
  }
  return result;
}

function randomMigration(random: () => number): Migration {
  const segments = 2 + Math.floor(random() * 4);
  const group = (segment: number | undefined, index: number) => ({
    name: segment === undefined ? `beside ${index}` : `segment ${segment}`,
    segment,
  });
  const beside = random() < 0.6 ? [undefined, undefined] : [];
  const ids = Array.from({ length: segments }, (_, index) => index + 1);
  const from = [...ids, ...beside].map(group);
  const to = [...ids.map((id) => (random() < 0.2 ? id + 10 : id)), ...beside].map(group);
  const count = (usual: number) => (random() < 0.3 ? 0 : Math.floor(usual * random() ** 3));
  const little = random() < 0.15 ? Math.floor(random() * from.length) : -1;
  const both = from.map((_, i) => to.map((__, j) => (i === little ? count(5) : i === j ? 10 + count(500) : count(60))));
  return { from, to, both, gone: from.map(() => count(12)), arrived: to.map(() => count(90)) };
}

/** Of a migration all that is not small, and no more than that. */
function withSmallOnly({ from, to, both, gone, arrived }: Migration): ToldMigration {
  const told = (count: number): Told => (between(count) ? undefined : count);
  const names = (groups: Migration['from']) => groups.map(({ name }) => name);
  return {
    from: names(from),
    to: names(to),
    both: both.map((row) => row.map(told)),
    gone: gone.map(told),
    arrived: arrived.map(told),
    moves: undefined,
  };
}

describe('an attack on a migration', () => {
  test('finds withheld counts where only the small ones are withheld', () => {
    const table: Migration = {
      from: [
        { name: 'A', segment: 1 },
        { name: 'B', segment: 2 },
      ],
      to: [
        { name: 'A', segment: 1 },
        { name: 'B', segment: 2 },
      ],
      both: [
        [100, 4],
        [20, 80],
      ],
      gone: [0, 0],
      arrived: [0, 0],
    };
    expect(new Attack(table, withSmallOnly(table)).found()).toEqual([[1]]);
    expect(new Attack(table, toldMigration(table) as ToldMigration).found()).toEqual([]);
  });

  test('finds none from all that leaves, and none that could not be ten more', () => {
    const random = randomNumbers(5);
    const seen = { told: 0, withheld: 0, merged: 0, moves: 0 };
    for (let trial = 0; trial < 400; trial++) {
      const table = randomMigration(random);
      const segments = table.both
        .flatMap((row, i) => row.map((count, j) => ({ count, from: table.from[i]?.segment, to: table.to[j]?.segment })))
        .filter(({ from, to }) => from !== undefined && to !== undefined);
      const customers = (isOne: (cell: (typeof segments)[number]) => boolean) =>
        segments.filter(isOne).reduce((sum, { count }) => sum + count, 0);
      const moves = {
        stayed: customers(({ from, to }) => from === to),
        customerChanged: customers(({ from, to }) => from !== to),
        modelChanged: 0,
      };
      const told = toldMigration(table, moves);
      if (told === undefined) continue;
      const attack = new Attack(table, told);
      // Groups that are told as one may trade customers in more ways than are tried.
      const isMerged = told.from.length < table.from.length || told.to.length < table.to.length;
      const narrow = isMerged ? [] : attack.narrow();
      expect({ trial, found: attack.found(), narrow }).toEqual({ trial, found: [], narrow: [] });
      const cells = told.both.flat();
      seen.told++;
      if (cells.includes(undefined)) seen.withheld++;
      if (isMerged) seen.merged++;
      if (told.moves !== undefined && cells.includes(undefined)) seen.moves++;
    }
    expect(seen.told).toBeGreaterThan(200);
    expect(seen.withheld).toBeGreaterThan(150);
    expect(seen.merged).toBeGreaterThan(5);
    expect(seen.moves).toBeGreaterThan(10);
  });

  test('what is large leaves as it is', () => {
    const table = randomMigration(randomNumbers(1));
    const large = {
      ...table,
      both: table.both.map((row) => row.map((count) => count + 10)),
      gone: table.gone.map(() => 0),
      arrived: table.arrived.map(() => 50),
    };
    expect(toldMigration(large)).toMatchObject({ both: large.both, gone: large.gone, arrived: large.arrived });
  });

  test('few moves are not told', () => {
    const table: Migration = {
      from: [{ name: 'A', segment: 1 }],
      to: [{ name: 'A', segment: 1 }],
      both: [[500]],
      gone: [0],
      arrived: [0],
    };
    expect(toldMigration(table, { stayed: 480, customerChanged: 16, modelChanged: 4 })?.moves).toEqual({
      stayed: 480,
      moved: 20,
      customerChanged: undefined,
      modelChanged: undefined,
    });
    expect(toldMigration(table, { stayed: 492, customerChanged: 4, modelChanged: 4 })?.moves).toBeUndefined();
    expect(toldMigration(table, { stayed: 480, customerChanged: 20, modelChanged: 0 })?.moves).toEqual({
      stayed: 480,
      moved: 20,
      customerChanged: 20,
      modelChanged: 0,
    });
  });
});
