import { parseArgs } from 'node:util';
import { treeShap } from '../../providers/models/trees/shap.ts';
import { margins } from '../../providers/models/trees/tree.ts';
import { randomEnsemble, randomRows } from '../support/trees.ts';

/**
 * How long exact contributions take, as one line of JSON for each number of features, and whether they add up.
 * `processorSeconds` is what a machine with nothing else to do needs.
 *
 *   npm run bench:explain -- --rows 25000 --trees 100 --leaves 31 --features 11,20
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '25000' },
    trees: { type: 'string', default: '100' },
    leaves: { type: 'string', default: '31' },
    features: { type: 'string', default: '11,20' },
  },
});
const [rows, trees, leaves] = [Number(values.rows), Number(values.trees), Number(values.leaves)];

for (const width of values.features.split(',').map(Number)) {
  const shape = { width, branches: leaves - 1, trees, missing: 0.02 };
  const ensemble = randomEnsemble(1, shape);
  const features = randomRows(2, rows, shape);
  const began = performance.now();
  const cpu = process.cpuUsage();
  const { expected, values: contributions } = treeShap(ensemble, features, rows);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  let largestMissing = 0;
  for (const [row, margin] of margins(ensemble, features, rows).entries()) {
    const sum = contributions.subarray(row * width, (row + 1) * width).reduce((total, each) => total + each, expected);
    largestMissing = Math.max(largestMissing, Math.abs(sum - margin));
  }
  process.stdout.write(
    `${JSON.stringify({
      rows,
      trees,
      leaves,
      features: width,
      seconds: Number(seconds.toFixed(2)),
      processorSeconds: Number(((user + system) / 1e6).toFixed(2)),
      rowsPerSecond: Math.round(rows / seconds),
      largestMissing,
      residentMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    })}\n`,
  );
}
