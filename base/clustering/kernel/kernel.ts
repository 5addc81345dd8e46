/*
 * The inner loops of k-means over columns of float32, in AssemblyScript: eight points and two centres at a time. Sums are whole
 * numbers of 2^-26, which can be added in any order, so that no division of the points among threads changes a bit of the
 * centres. And of the silhouette, in double precision. `npm run kernel` compiles it to ../kernel-bytes.ts; ../kernel.ts says where everything lies.
 */

// @ts-ignore: decorator
@inline const SCALE: f64 = 67108864.0; // 2^26
// @ts-ignore: decorator
@inline const COST_SCALE: f64 = 1048576.0; // 2^20

/** Label of a point that has none yet. */
// @ts-ignore: decorator
@inline const NONE: i32 = 255;

/** Adds a point to the sums of a cluster, or takes it away. */
// @ts-ignore: decorator
@inline
function move(point: usize, stride: usize, dims: i32, sums: usize, counts: usize, cluster: i32, by: i64): void {
  const count = counts + (<usize>cluster << 3);
  store<i64>(count, load<i64>(count) + by);
  let sum = sums + ((<usize>cluster * <usize>dims) << 3);
  for (let d = 0; d < dims; d++) {
    const value = <i64>nearest<f64>(<f64>load<f32>(point) * SCALE);
    store<i64>(sum, load<i64>(sum) + by * value);
    point += stride;
    sum += 8;
  }
}

/** The nearest centre of one point in double precision, dimension after dimension; the lower of equals. */
function nearestOf(point: usize, stride: usize, dims: i32, k: i32, centres: usize): i32 {
  let best = Infinity;
  let label = 0;
  let centre = centres;
  for (let c = 0; c < k; c++) {
    let squares: f64 = 0;
    let value = point;
    for (let d = 0; d < dims; d++) {
      const difference = <f64>load<f32>(value) - <f64>load<f32>(centre);
      squares += difference * difference;
      value += stride;
      centre += 4;
    }
    if (squares < best) {
      best = squares;
      label = c;
    }
  }
  return label;
}

/** Length of each point of [start, end), from which `assign` knows how far its single precision may be off. */
export function lengths(start: i32, end: i32, dims: i32, stride: usize, points: usize, into: usize): void {
  for (let i = start; i < end; i += 4) {
    let point = points + (<usize>i << 2);
    let squares = f32x4.splat(0);
    for (let d = 0; d < dims; d++) {
      const value = v128.load(point);
      squares = f32x4.add(squares, f32x4.mul(value, value));
      point += stride;
    }
    v128.store(into + (<usize>i << 2), f32x4.sqrt(squares));
  }
}

/**
 * Gives the points of [start, end), both multiples of 8, the label of their nearest centre, and keeps sums and counts up with
 * what changed. Points from `rows` on are padding. Half of |x - c|^2 - |x|^2, which is |c|^2/2 - x.c, is compared in single
 * precision; where the two nearest are closer than it can be off, in double. Returns how many changed.
 */
export function assign(
  start: i32, end: i32, rows: i32, dims: i32, stride: usize, points: usize, lengths: usize, perLength: f32, atLeast: f32,
  k: i32, centres: usize, halves: usize, labels: usize, sums: usize, counts: usize,
): i32 {
  let changed = 0;
  const row = <usize>dims << 2;
  for (let i = start; i < end; i += 8) {
    const first = points + (<usize>i << 2);
    let bestA = f32x4.splat(Infinity);
    let bestB = bestA;
    let nextA = bestA;
    let nextB = bestA;
    let labelA = i32x4.splat(0);
    let labelB = labelA;
    let centre = centres;
    // Two centres at a time: the points are loaded once for both. Where k is odd, the last half is infinite.
    for (let c = 0; c < k; c += 2) {
      let a = v128.load32_splat(halves + (<usize>c << 2));
      let b = a;
      let e = v128.load32_splat(halves + (<usize>c << 2), 4);
      let f = e;
      let point = first;
      for (let d = 0; d < dims; d++) {
        const p = v128.load(point);
        const q = v128.load(point, 16);
        const at = v128.load32_splat(centre);
        const and = v128.load32_splat(centre + row);
        a = f32x4.sub(a, f32x4.mul(p, at));
        b = f32x4.sub(b, f32x4.mul(q, at));
        e = f32x4.sub(e, f32x4.mul(p, and));
        f = f32x4.sub(f, f32x4.mul(q, and));
        centre += 4;
        point += stride;
      }
      centre += row;
      const one = i32x4.splat(c);
      labelA = v128.bitselect(one, labelA, f32x4.lt(a, bestA));
      labelB = v128.bitselect(one, labelB, f32x4.lt(b, bestB));
      nextA = f32x4.pmin(nextA, f32x4.pmax(bestA, a));
      nextB = f32x4.pmin(nextB, f32x4.pmax(bestB, b));
      bestA = f32x4.pmin(bestA, a);
      bestB = f32x4.pmin(bestB, b);
      const two = i32x4.splat(c + 1);
      labelA = v128.bitselect(two, labelA, f32x4.lt(e, bestA));
      labelB = v128.bitselect(two, labelB, f32x4.lt(f, bestB));
      nextA = f32x4.pmin(nextA, f32x4.pmax(bestA, e));
      nextB = f32x4.pmin(nextB, f32x4.pmax(bestB, f));
      bestA = f32x4.pmin(bestA, e);
      bestB = f32x4.pmin(bestB, f);
    }
    const packed = i16x8.narrow_i32x4_u(labelA, labelB);
    let now = i64x2.extract_lane(i8x16.narrow_i16x8_u(packed, packed), 0);
    const length = lengths + (<usize>i << 2);
    const unsureA = f32x4.le(f32x4.sub(nextA, bestA), f32x4.add(f32x4.mul(v128.load(length), f32x4.splat(perLength)), f32x4.splat(atLeast)));
    const unsureB = f32x4.le(f32x4.sub(nextB, bestB), f32x4.add(f32x4.mul(v128.load(length, 16), f32x4.splat(perLength)), f32x4.splat(atLeast)));
    if (v128.any_true(v128.or(unsureA, unsureB))) {
      const lanes = i32x4.bitmask(unsureA) | (i32x4.bitmask(unsureB) << 4);
      for (let lane = 0; lane < 8; lane++) {
        if (((lanes >> lane) & 1) == 0) continue;
        const shift = <i64>lane << 3;
        const exact = <i64>nearestOf(first + (<usize>lane << 2), stride, dims, k, centres);
        now = (now & ~(<i64>255 << shift)) | (exact << shift);
      }
    }
    const place = labels + <usize>i;
    const before = load<i64>(place);
    if (now == before) continue;
    store<i64>(place, now);
    const last = min(8, rows - i);
    for (let lane = 0; lane < last; lane++) {
      const from = <i32>((before >> (<i64>lane << 3)) & 255);
      const to = <i32>((now >> (<i64>lane << 3)) & 255);
      if (from == to) continue;
      changed++;
      const point = first + (<usize>lane << 2);
      if (from != NONE) move(point, stride, dims, sums, counts, from, -1);
      move(point, stride, dims, sums, counts, to, 1);
    }
  }
  return changed;
}

/** Sum of the squared distances of the points of [start, end) to the centres of their labels, in 2^-20. */
export function cost(
  start: i32, end: i32, dims: i32, stride: usize, points: usize, centres: usize, labels: usize,
): i64 {
  let sum: i64 = 0;
  for (let i = start; i < end; i++) {
    let centre = centres + ((<usize>load<u8>(labels + <usize>i) * <usize>dims) << 2);
    let point = points + (<usize>i << 2);
    let squares: f64 = 0;
    for (let d = 0; d < dims; d++) {
      const difference = <f64>load<f32>(point) - <f64>load<f32>(centre);
      squares += difference * difference;
      centre += 4;
      point += stride;
    }
    sum += <i64>nearest<f64>(squares * COST_SCALE);
  }
  return sum;
}

/**
 * Sums of the distances from each point of [start, end), both multiples of 4, to the points of each cluster, in double
 * precision: four points and two others at a time. The points lie by cluster: those of cluster c end before `ends`[c]. The first
 * of each two others are summed apart from the second, so that the sums of a point do not depend on [start, end). `own` is
 * room for 4 x dims numbers, which the four points are written to.
 */
export function distances(
  start: i32, end: i32, dims: i32, stride: usize, points: usize, own: usize, k: i32, ends: usize, sums: usize,
): void {
  const row = <usize>k << 3;
  for (let i = start; i < end; i += 4) {
    let point = points + (<usize>i << 2);
    let value = own;
    for (let d = 0; d < dims; d++) {
      for (let lane = 0; lane < 4; lane++) {
        store<f64>(value + (<usize>lane << 3), <f64>load<f32>(point + (<usize>lane << 2)));
      }
      point += stride;
      value += 32;
    }
    let into = sums + <usize>i * row;
    let j = 0;
    for (let c = 0; c < k; c++) {
      const last = load<i32>(ends + (<usize>c << 2));
      let sumA = f64x2.splat(0);
      let sumB = sumA;
      let sumC = sumA;
      let sumD = sumA;
      for (; j < last; j += 2) {
        let a = f64x2.splat(0);
        let b = a;
        let e = a;
        let f = a;
        point = points + (<usize>j << 2);
        value = own;
        for (let d = 0; d < dims; d++) {
          const two = f64x2.promote_low_f32x4(v128.load64_zero(point));
          const fromA = f64x2.sub(two, v128.load64_splat(value));
          const fromB = f64x2.sub(two, v128.load64_splat(value, 8));
          const fromC = f64x2.sub(two, v128.load64_splat(value, 16));
          const fromD = f64x2.sub(two, v128.load64_splat(value, 24));
          a = f64x2.add(a, f64x2.mul(fromA, fromA));
          b = f64x2.add(b, f64x2.mul(fromB, fromB));
          e = f64x2.add(e, f64x2.mul(fromC, fromC));
          f = f64x2.add(f, f64x2.mul(fromD, fromD));
          point += stride;
          value += 32;
        }
        // The second of the last two is of the next cluster where the number is odd.
        const which = j + 1 < last ? i64x2(-1, -1) : i64x2(-1, 0);
        sumA = f64x2.add(sumA, v128.and(f64x2.sqrt(a), which));
        sumB = f64x2.add(sumB, v128.and(f64x2.sqrt(b), which));
        sumC = f64x2.add(sumC, v128.and(f64x2.sqrt(e), which));
        sumD = f64x2.add(sumD, v128.and(f64x2.sqrt(f), which));
      }
      j = last;
      store<f64>(into, f64x2.extract_lane(sumA, 0) + f64x2.extract_lane(sumA, 1));
      store<f64>(into + row, f64x2.extract_lane(sumB, 0) + f64x2.extract_lane(sumB, 1));
      store<f64>(into + 2 * row, f64x2.extract_lane(sumC, 0) + f64x2.extract_lane(sumC, 1));
      store<f64>(into + 3 * row, f64x2.extract_lane(sumD, 0) + f64x2.extract_lane(sumD, 1));
      into += 8;
    }
  }
}
