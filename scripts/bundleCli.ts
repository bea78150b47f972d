/**
 * Bundles the command line, with the packages that it loads, into a few files: dist/cli/. As a file per module, `sample` takes 2.3 times as
 * long to start as an empty Node, and bundled 1.9 times. The library and the process of a learner's file stay as tsc writes them.
 * Run: npm run build:cli
 */
import { build } from 'rolldown';

await build({
  input: { 'cli/main': 'src/cli/main.ts' },
  platform: 'node',
  // The package open brings a script, xdg-open, which it finds beside itself.
  external: /^(node:|open$)/,
  resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
  preserveEntrySignatures: false,
  output: {
    dir: 'dist',
    entryFileNames: '[name].js',
    chunkFileNames: 'cli/[name]-[hash].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        {
          name: 'core',
          // Not the modules that --help loads: errors, text, paths and systemErrors.
          test: /src\/(core\/(?!errors|text)|data|layers|backend|network|training|evaluation|run|node\/(?!paths|systemErrors))|valibot|seedrandom/,
          minShareCount: 4,
        },
      ],
    },
  },
});
