import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGraph } from '../../providers/models/onnx/graph.ts';
import { scoreMargin } from '../../providers/models/trees/margin.ts';
import { treeShap } from '../../providers/models/trees/shap.ts';
import { margins } from '../../providers/models/trees/tree.ts';

/**
 * node examples/models/compare-contributions.ts CONTRIBUTIONS
 *
 * Holds the contributions of Holdfast to churn-risk-v6.onnx against those of LightGBM that contributions.py wrote, and
 * prints the largest differences as one line of JSON. Exit status 1 when one exceeds a millionth.
 */
const MOST = 1e-6;

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Name the file that contributions.py wrote.');
const bytes = await readFile(file);
const width = bytes.readInt32LE(0);
const rows = bytes.readInt32LE(4);
const features = Float32Array.from({ length: rows * width }, (_, place) => bytes.readFloatLE(8 + 4 * place));
const start = 8 + 4 * rows * width;
const theirs = (row: number, column: number) => bytes.readDoubleLE(start + 8 * (row * (width + 1) + column));

const model = await readFile(join(import.meta.dirname, 'churn-risk-v6.onnx'));
const { ensemble } = scoreMargin(readGraph(model), width);
const began = performance.now();
const { expected, values } = treeShap(ensemble, features, rows);
const seconds = (performance.now() - began) / 1000;
const sums = margins(ensemble, features, rows);

let contribution = 0;
let addedUp = 0;
for (let row = 0; row < rows; row++) {
  let sum = expected;
  for (let feature = 0; feature < width; feature++) {
    const ours = values[row * width + feature] ?? Number.NaN;
    sum += ours;
    contribution = Math.max(contribution, Math.abs(ours - theirs(row, feature)));
  }
  contribution = Math.max(contribution, Math.abs(expected - theirs(row, width)));
  addedUp = Math.max(addedUp, Math.abs(sum - (sums[row] ?? Number.NaN)));
}
process.stdout.write(
  `${JSON.stringify({ rows, features: width, largestDifference: contribution, largestMissing: addedUp, seconds })}\n`,
);
// Written so that NaN fails too.
process.exitCode = contribution <= MOST && addedUp <= MOST ? 0 : 1;
