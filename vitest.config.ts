import { defineConfig } from 'vitest/config';

// What the program proposes depends on whether npm runs it, as it may run these tests.
const env = { npm_command: '' };

export default defineConfig({
  test: {
    // Of all cores: by default one is kept free, which of two is half.
    maxWorkers: '100%',
    coverage: { include: ['src/**'], exclude: ['src/kernels/**'], reporter: ['text-summary', 'html'] },
    projects: [
      { test: { name: 'fast', env, include: ['test/**/*.test.ts'], exclude: ['test/long/**'], testTimeout: 30_000 } },
      { test: { name: 'long', env, include: ['test/long/**/*.test.ts'], testTimeout: 600_000 } },
    ],
  },
});
