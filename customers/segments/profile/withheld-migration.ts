import type { Moves } from '../lineage.ts';
import { FEWEST, isSmall, sum, type Told, type ToldCounts, toldSizes } from './withheld.ts';

/** A segment, or a group beside the segments, which has no id. */
export interface MigrationGroup {
  readonly name: string;
  readonly segment: number | undefined;
}

/** Customers by group a month ago and now; segments come before the groups beside them. */
export interface Migration {
  readonly from: readonly MigrationGroup[];
  readonly to: readonly MigrationGroup[];
  /** Customers who were in group i and are in group j, as `both[i][j]`. */
  readonly both: readonly (readonly number[])[];
  /** Customers of each old group whom the snapshot does not know any more. */
  readonly gone: readonly number[];
  /** Customers of each group now whom the snapshot before did not know. */
  readonly arrived: readonly number[];
}

export interface ToldMoves {
  readonly stayed: number;
  readonly moved: number;
  readonly customerChanged: Told;
  readonly modelChanged: Told;
}

export interface ToldMigration {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly both: readonly (readonly Told[])[];
  readonly gone: readonly Told[];
  readonly arrived: readonly Told[];
  /** Of who was and is in segments; undefined where it would tell a cell. */
  readonly moves: ToldMoves | undefined;
}

/**
 * What leaves of a migration, beside the counts of the groups of both months, of which nothing is a secret to the reader but
 * what `toldCounts` withholds: groups whose count is withheld are told as one, and around each cell under ten three others go
 * so that the four can take any of ten values and no row or column changes.
 * @returns undefined where that is not possible
 */
export function toldMigration(migration: Migration, moves?: Moves): ToldMigration | undefined {
  const sizesBefore = migration.from.map((_, i) => sum(migration.both[i] as number[]) + (migration.gone[i] as number));
  const sizesNow = migration.to.map(
    (_, j) => sum(migration.both.map((row) => row[j] as number)) + (migration.arrived[j] as number),
  );
  const [segmentsBefore, segmentsNow] = [segmentsAmong(migration.from), segmentsAmong(migration.to)];
  const rows = toldPlaces(sizesBefore, segmentsBefore);
  const columns = toldPlaces(sizesNow, segmentsNow);
  if (rows === undefined || columns === undefined) return undefined;
  const name = (groups: readonly MigrationGroup[]) => (places: readonly number[]) =>
    places.map((place) => groups[place]?.name).join(' or ');

  // The last row are those who came, the last column those who are gone, the last cell those in neither month: any number.
  const cells = [
    ...rows.map((places) => [
      ...columns.map((others) => sum(places.flatMap((i) => others.map((j) => migration.both[i]?.[j] as number)))),
      sum(places.map((i) => migration.gone[i] as number)),
    ]),
    [...columns.map((others) => sum(others.map((j) => migration.arrived[j] as number))), Number.POSITIVE_INFINITY],
  ];
  const withheld = cells.map((row) => row.map((count) => isSmall(count) || count === Number.POSITIVE_INFINITY));
  const small = withheld.flatMap((row, i) => row.flatMap((_, j) => (isSmall(cells[i]?.[j] as number) ? [[i, j]] : [])));
  // A group that is told with another may not stand for one that moves.
  let isKept = rows.length === migration.from.length && columns.length === migration.to.length;
  const keeps = (i: number, j: number, row: number, column: number) => {
    const stays = (from: number, to: number) => {
      const segment = migration.from[from]?.segment;
      return segment !== undefined && segment === migration.to[to]?.segment ? 1 : 0;
    };
    return (
      isKept &&
      (i < segmentsBefore === row < segmentsBefore || j < segmentsNow === column < segmentsNow) &&
      stays(i, j) + stays(row, column) === stays(i, column) + stays(row, j)
    );
  };
  for (const [i, j] of small as [number, number][]) {
    const corner = cheapestCorner(cells, withheld, keeps, i, j);
    if (corner === undefined) return undefined;
    const [otherRow, otherColumn] = corner;
    isKept = keeps(i, j, otherRow, otherColumn);
    (withheld[i] as boolean[])[otherColumn] = true;
    (withheld[otherRow] as boolean[])[j] = true;
    (withheld[otherRow] as boolean[])[otherColumn] = true;
  }
  const told = cells.map((row, i) => row.map((count, j) => (withheld[i]?.[j] === true ? undefined : count)));
  return {
    from: rows.map(name(migration.from)),
    to: columns.map(name(migration.to)),
    both: told.slice(0, -1).map((row) => row.slice(0, -1)),
    gone: told.slice(0, -1).map((row) => row.at(-1)),
    arrived: (told.at(-1) as Told[]).slice(0, -1),
    moves: isKept && moves !== undefined ? toldMoves(moves) : undefined,
  };
}

function toldMoves({ stayed, customerChanged, modelChanged }: Moves): ToldMoves | undefined {
  const moved = customerChanged + modelChanged;
  if (isSmall(stayed) || isSmall(moved)) return undefined;
  const isTold = !isSmall(customerChanged) && !isSmall(modelChanged);
  return {
    stayed,
    moved,
    customerChanged: isTold ? customerChanged : undefined,
    modelChanged: isTold ? modelChanged : undefined,
  };
}

const segmentsAmong = (groups: readonly MigrationGroup[]): number =>
  groups.filter(({ segment }) => segment !== undefined).length;

/** Groups that are told one by one, and those whose counts are withheld together; undefined where not even these are told. */
function toldPlaces(sizes: readonly number[], segments: number): number[][] | undefined {
  const told = toldSizes(sizes.slice(0, segments), sizes.slice(segments));
  if (told.total === undefined) return undefined;
  const merged = ({ counts }: ToldCounts, first: number): number[][] => {
    const places = [...counts.keys()];
    const hidden = places.filter((place) => counts[place] === undefined);
    return places
      .filter((place) => counts[place] !== undefined || place === hidden[0])
      .map((place) => (place === hidden[0] ? hidden : [place]).map((one) => one + first));
  };
  return [...merged(told.segments, 0), ...merged(told.others, segments)];
}

/**
 * The row and column that make a rectangle with a cell: it may rise by ten as its neighbours fall, which have ten at least,
 * and as the far corner rises. Rather one that leaves who stayed and who moved as many, so that these can be told; then the
 * one that withholds the fewest customers more; the first of equals.
 */
function cheapestCorner(
  cells: readonly (readonly number[])[],
  withheld: readonly (readonly boolean[])[],
  keeps: (i: number, j: number, row: number, column: number) => boolean,
  i: number,
  j: number,
): [row: number, column: number] | undefined {
  let best: { readonly cost: number; readonly corner: [number, number] } | undefined;
  const cost = (row: number, column: number) =>
    withheld[row]?.[column] === true ? 0 : 1 + (cells[row]?.[column] as number);
  for (const [row, others] of cells.entries()) {
    if (row === i || (others[j] as number) < FEWEST) continue;
    for (const column of others.keys()) {
      if (column === j || (cells[i]?.[column] as number) < FEWEST) continue;
      const spoils = keeps(i, j, row, column) ? 0 : Number.MAX_SAFE_INTEGER / 2;
      const all = cost(row, j) + cost(i, column) + cost(row, column) + spoils;
      if (best === undefined || all < best.cost) best = { cost: all, corner: [row, column] };
    }
  }
  return best?.corner;
}
