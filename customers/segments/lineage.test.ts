import { expect, test } from '@jest/globals';
import { followSegments, SAME_SEGMENT, splitMoves } from './lineage.ts';

test('clusters that came out in another order have their old ids', () => {
  const both = [
    [2, 90, 8],
    [80, 10, 10],
    [0, 5, 95],
  ];
  expect(followSegments([1, 2, 3], both, 3, 3)).toEqual({ ids: [2, 1, 3], retired: [], overlap: [0.8, 0.9, 0.95] });
});

test('a cluster with less than half of an old segment is a new one, under an id that none ever had', () => {
  const both = [
    [49, 51],
    [60, 40],
  ];
  // Together 51 + 60 is most; ids 1 to 7 were used, some of them by segments that are gone.
  expect(followSegments([4, 7], both, 2, 7)).toEqual({ ids: [7, 4], retired: [], overlap: [0.6, 0.51] });
  expect(
    followSegments(
      [4, 7],
      [
        [49, 30, 21],
        [0, 0, 100],
      ],
      3,
      7,
    ),
  ).toEqual({
    ids: [8, 9, 7],
    retired: [4],
    overlap: [undefined, undefined, 1],
  });
  expect(followSegments([4], [[1, 1]], 2, 4).overlap).toEqual([SAME_SEGMENT, undefined]);
});

test('more clusters than before, fewer, and none before', () => {
  expect(followSegments([1], [[0, 9, 1]], 3, 1)).toMatchObject({ ids: [2, 1, 3], retired: [] });
  expect(followSegments([1, 2, 3], [[9], [9], [10]], 1, 3)).toMatchObject({ ids: [3], retired: [1, 2] });
  expect(followSegments([], [], 3, 0)).toEqual({
    ids: [1, 2, 3],
    retired: [],
    overlap: [undefined, undefined, undefined],
  });
});

test('a segment of which nobody is left is retired', () => {
  expect(
    followSegments(
      [1, 2],
      [
        [0, 0],
        [6, 4],
      ],
      2,
      2,
    ),
  ).toMatchObject({ ids: [2, 3], retired: [1] });
});

test('a move is of the customer where the old model moves it, too, and of the model otherwise', () => {
  const moves = splitMoves([
    { before: 1, byOldModel: 1, now: 1, customers: 100 },
    { before: 1, byOldModel: 2, now: 2, customers: 10 },
    { before: 1, byOldModel: 1, now: 2, customers: 5 },
    { before: 1, byOldModel: 2, now: 3, customers: 3 },
    { before: 1, byOldModel: 2, now: 1, customers: 2 },
  ]);
  expect(moves).toEqual({ stayed: 102, customerChanged: 13, modelChanged: 5 });
});
