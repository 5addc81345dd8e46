/** @type {import('jest').Config} */
export default {
  // Tests live beside what they test; those that need the whole program are under test/.
  testMatch: ['**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.holdfast/', '<rootDir>/.stryker-tmp/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': ['@swc/jest', { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' } }],
  },
  testEnvironment: './test/support/environment.js',
  testTimeout: 60_000,
  maxWorkers: 2,
  reporters: ['default', './test/support/reporter.js'],
};
