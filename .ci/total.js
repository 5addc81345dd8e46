import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** node .ci/total.js FOLDER STATUS: adds up what the reports in the folder say; the last line is "N passed, N failed". */
const [folder, status] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };

const lastLine = (text) => JSON.parse(text.trim().split('\n').at(-1));

const read = {
  jest(text) {
    const report = JSON.parse(text);
    total.passed += report.numPassedTests;
    total.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
    total.skipped += report.numPendingTests + report.numTodoTests;
  },
  e2e(text) {
    const [, passed, failed, skipped = '0'] = /(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$/.exec(text);
    total.passed += Number(passed);
    total.failed += Number(failed);
    total.skipped += Number(skipped);
  },
  'first-command'(text) {
    read.e2e(text);
  },
  'faults-operator'(text) {
    const { converged, diverged } = lastLine(text);
    total.passed += converged;
    total.failed += diverged;
  },
  'faults-batch'(text) {
    const { right, wrong } = lastLine(text);
    total.passed += right;
    total.failed += wrong;
  },
  fuzz(text) {
    const { mutants, wrong } = lastLine(text);
    // One promise, however many mutants it is tried on.
    if (wrong === 0 && mutants > 0) total.passed += 1;
    else total.failed += 1;
  },
};

for (const name of readdirSync(folder)) {
  const reader = read[name.split('.')[0]];
  if (reader === undefined) continue;
  try {
    reader(readFileSync(join(folder, name), 'utf8'));
  } catch {
    console.log(`${name} came to no end`);
    total.failed += 1;
  }
}
if (status !== '0' && total.failed === 0) total.failed = 1;
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
