import { KERNEL } from './kernel-bytes.ts';
import { type Layout, rangeOf, tallyBytes } from './space.ts';

/** What kernel/kernel.ts exports; pointers are bytes from the start of the memory. */
interface Exports {
  readonly lengths: (start: number, end: number, dims: number, stride: number, points: number, into: number) => void;
  // biome-ignore format: as kernel/kernel.ts has them
  readonly assign: (
    start: number, end: number, rows: number, dims: number, stride: number, points: number,
    lengths: number, perLength: number, atLeast: number, k: number, centres: number, halves: number,
    labels: number, sums: number, counts: number,
  ) => number;
  // biome-ignore format: as kernel/kernel.ts has them
  readonly cost: (
    start: number, end: number, dims: number, stride: number, points: number, centres: number, labels: number,
  ) => bigint;
  // biome-ignore format: as kernel/kernel.ts has them
  readonly distances: (
    start: number, end: number, dims: number, stride: number, points: number, own: number,
    k: number, ends: number, sums: number,
  ) => void;
}

/** What one part is asked to do. */
export type Work =
  | { readonly does: 'lengths' }
  /** `perLength` × a point's length + `atLeast`: by how much the comparison in single precision may be off. */
  | { readonly does: 'assign'; readonly clusters: number; readonly perLength: number; readonly atLeast: number }
  | { readonly does: 'cost' }
  /** Sums from each point to the points of each cluster, which lie together. */
  | { readonly does: 'distances' };

/** Points of one call, a multiple of 8: V8 changes to optimised code between calls only. */
const ROWS_OF_DISTANCES = 128;

/** Does the work of one part of a space; resolves to labels that changed, or to the cost. */
export type Worker = (work: Work) => number | bigint;

/** The kernel over the memory of a space, for one of its parts. */
export function kernelOf(memory: WebAssembly.Memory, layout: Layout, part: number): Worker {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(KERNEL, 'base64')), { env: { memory } });
  const kernel = instance.exports as unknown as Exports;
  const { rows, padded, dimensions, points, lengths, centres, halves, labels } = layout;
  const { start, end } = rangeOf(layout, part);
  const stride = 4 * padded;
  const sums = layout.tallies + part * tallyBytes(dimensions);
  const counts = sums + tallyBytes(dimensions) - tallyBytes(0);
  return (work) => {
    switch (work.does) {
      case 'lengths':
        kernel.lengths(start, end, dimensions, stride, points, lengths);
        return 0;
      case 'assign': {
        const { clusters, perLength, atLeast } = work;
        // biome-ignore format: as kernel/kernel.ts has them
        return kernel.assign(
          start, end, rows, dimensions, stride, points, lengths, perLength, atLeast,
          clusters, centres, halves, labels, sums, counts,
        );
      }
      case 'cost':
        return kernel.cost(start, Math.min(end, rows), dimensions, stride, points, centres, labels);
      case 'distances':
        for (let first = start; first < end; first += ROWS_OF_DISTANCES) {
          // biome-ignore format: as kernel/kernel.ts has them
          kernel.distances(
            first, Math.min(end, first + ROWS_OF_DISTANCES), dimensions, stride, points, sums,
            layout.distancesTo, layout.ends, layout.distances,
          );
        }
        return 0;
    }
  };
}
