import { defineConfig } from 'vitest/config';

// The program prints commands with npx if npx runs it. The tests expect the same text, whether npm runs them or not.
const env = { npm_command: '', npm_config_user_agent: '' };

/** Ends a hang, and judges no speed: a busy machine takes ten times as long. */
const testTimeout = 300_000;

export default defineConfig({
  test: {
    // All cores: the default leaves one of them idle.
    maxWorkers: '100%',
    coverage: {
      include: ['src/**/*.ts'],
      exclude: ['src/kernels/**', 'src/run/onnx/onnx_pb.ts', '**/*.d.ts'],
      reporter: ['text-summary', 'html'],
      // Child processes are not counted: neither the program as a child nor the process of a learner's file.
      thresholds: { statements: 93, branches: 89, functions: 94, lines: 93 },
    },
    projects: [
      {
        test: {
          name: 'fast',
          env,
          include: ['test/**/*.test.ts'],
          exclude: ['test/long/**', 'test/page/**', 'test/python/**'],
          testTimeout,
          hookTimeout: testTimeout,
        },
      },
      {
        test: {
          name: 'page',
          env,
          include: ['test/page/**/*.test.ts'],
          testTimeout,
          hookTimeout: testTimeout,
          expect: { poll: { timeout: testTimeout } },
        },
      },
      { test: { name: 'python', env, include: ['test/python/**/*.test.ts'], testTimeout, hookTimeout: testTimeout } },
      { test: { name: 'long', env, include: ['test/long/**/*.test.ts'], testTimeout: 600_000, hookTimeout: 600_000 } },
    ],
  },
});
