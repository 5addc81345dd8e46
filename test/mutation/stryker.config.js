/** The folder whose code is changed, and whose own tests are to see it: MUTATE=base/schedules npm run mutate */
const folder = process.env['MUTATE'] ?? 'base/schedules';

export default {
  mutate: [`${folder}/**/*.ts`, `!${folder}/**/*.test.ts`],
  testRunner: 'jest',
  // Jest loads modules of ECMAScript by Node's own means.
  testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  jest: {
    configFile: 'jest.config.js',
    config: { testMatch: [`<rootDir>/${folder}/**/*.test.ts`] },
    // Nearly every test is related to nearly every file by way of the CLI.
    enableFindRelatedTests: false,
  },
  // Coverage would need an environment of its own in place of test/support/environment.js.
  coverageAnalysis: 'off',
  concurrency: 1,
  timeoutMS: 10_000,
  cleanTempDir: 'always',
  ignorePatterns: ['dist', '.holdfast', 'test/mutation'],
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowColor: false, allowEmojis: false, reportTests: false },
  disableTypeChecks: false,
};
