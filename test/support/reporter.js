import { writeFileSync } from 'node:fs';

/** Writes the totals of a run as JSON to the file that HOLDFAST_TEST_REPORT names, for the continuous integration. */
export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.HOLDFAST_TEST_REPORT;
    if (file === undefined) return;
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites } = results;
    writeFileSync(
      file,
      JSON.stringify({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, numRuntimeErrorTestSuites }),
    );
  }
}
