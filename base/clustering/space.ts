import type { Labels, Points } from './points.ts';

/** Points, dimensions and clusters are padded to what the kernel takes at a time: kernel/kernel.ts. */
const POINTS_AT_A_TIME = 8;

/** Most clusters of a space, and most dimensions. */
export const MOST_CLUSTERS = 64;
const MOST_DIMENSIONS = 64;

/** Label of a point that has none yet. */
export const NO_LABEL = 255;

/** Sums are whole numbers of 2^-26, costs of 2^-20. */
export const SUM_SCALE = 2 ** 26;
export const COST_SCALE = 2 ** 20;

const PAGE = 65_536;
const MOST_PAGES = 65_536;

/** Where everything lies in the memory of a space, in bytes. */
export interface Layout {
  readonly rows: number;
  /** Points with their padding. */
  readonly padded: number;
  readonly dimensions: number;
  readonly parts: number;
  /** float32, `MOST_CLUSTERS` × dimensions, one centre after the other; where there is an odd number, one of zeros follows. */
  readonly centres: number;
  /** float32, half the square of each centre's length. */
  readonly halves: number;
  /** int64 by part: sums of `MOST_CLUSTERS` × dimensions, then counts of `MOST_CLUSTERS`. */
  readonly tallies: number;
  /** uint8 by point. */
  readonly labels: number;
  /** float32 by point. */
  readonly lengths: number;
  /** float32, column after column of `padded` values. */
  readonly points: number;
  /** Clusters to which distances are summed; 0 where none are. */
  readonly distancesTo: number;
  /** int32 by such a cluster: the row after its last point, where the points lie by cluster. */
  readonly ends: number;
  /** float64, `padded` × `distancesTo`: sums of the distances of each point to the points of each cluster. */
  readonly distances: number;
}

/** Points in memory that several threads and the kernel share: write the columns, then cluster them. */
export interface Space extends Points {
  readonly labels: Labels;
  readonly layout: Layout;
  readonly memory: WebAssembly.Memory;
}

/** Bytes of one part's tallies. */
export function tallyBytes(dimensions: number): number {
  return 8 * MOST_CLUSTERS * (dimensions + 1);
}

/**
 * Memory for so many points, to be worked on in so many parts; values are 0 and labels `NO_LABEL` at first.
 * @param distancesTo clusters to which the distances of each point are to be summed
 * @throws RangeError beyond what a space may hold: 64 dimensions, 4 GiB
 */
export function openSpace(rows: number, dimensions: number, parts: number, distancesTo = 0): Space {
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS) {
    throw new RangeError(`${dimensions} dimensions: there are from 1 to ${MOST_DIMENSIONS}`);
  }
  const layout = layoutOf(rows, dimensions, parts, distancesTo);
  const pages = Math.ceil((layout.distances + 8 * layout.padded * distancesTo) / PAGE);
  if (pages > MOST_PAGES) throw new RangeError(`${rows} points of ${dimensions} dimensions are more than 4 GiB`);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
  const labels = new Uint8Array(memory.buffer, layout.labels, layout.padded).fill(NO_LABEL).subarray(0, rows);
  const columns = Array.from(
    { length: dimensions },
    (_, dimension) => new Float32Array(memory.buffer, layout.points + 4 * layout.padded * dimension, rows),
  );
  return { rows, columns, labels, layout, memory };
}

function layoutOf(rows: number, dimensions: number, parts: number, distancesTo: number): Layout {
  const padded = roundUp(Math.max(rows, 1), 64);
  const centres = 64;
  const halves = centres + roundUp(4 * MOST_CLUSTERS * dimensions, 64);
  const tallies = halves + 4 * MOST_CLUSTERS;
  const labels = tallies + parts * tallyBytes(dimensions);
  const lengths = labels + padded;
  const ends = lengths + 4 * padded;
  const points = ends + roundUp(4 * distancesTo, 64);
  const distances = points + 4 * padded * dimensions;
  // biome-ignore format: the order in which they lie
  return { rows, padded, dimensions, parts, distancesTo, centres, halves, tallies, labels, lengths, ends, points, distances };
}

/** The points of one part, as even as whole steps of the kernel allow; the last has the rest. */
export function rangeOf({ padded, parts }: Layout, part: number): { readonly start: number; readonly end: number } {
  const steps = Math.ceil(padded / POINTS_AT_A_TIME);
  const at = (place: number) => Math.floor((steps * place) / parts) * POINTS_AT_A_TIME;
  return { start: at(part), end: at(part + 1) };
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
