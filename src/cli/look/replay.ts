import { text } from '../../core/kinds.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import { runHistory } from '../../run/rerun.js';
import { defineCommand } from '../command.js';
import { loadRunData } from '../data.js';
import { refuseImported } from '../imported.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { shortPath } from '../terminal/io.js';
import { Progress } from '../terminal/progress.js';
import { inTurns } from '../terminal/turns.js';
import { Replay } from './replayComparison.js';
import { rerunOf } from './rerunOf.js';
import { StoredRun } from './storedRun.js';

export const replay = defineCommand({
  description:
    'Trains a run again, in memory, and compares everything that it recorded: losses, hashes, diagnoses, checkpoint, best checkpoint.',
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [{ key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own", kind: text }, THREADS_OPTION],
  examples: [['backprop-ninja replay runs/0001', 'prove that a run can be reproduced bit for bit']],
  async run({ io, json, options, printJson, paint }, run?: string) {
    const stored = new StoredRun(findCheckpoint(io.cwd, run), io);
    refuseImported(stored.path, stored.checkpoint, 'replay', io);
    const data = loadRunData(stored.path, stored.checkpoint, options.data, 'must be the same', io);
    const { signal, replay } = await withKernels(options.threads, io, (createBackend) =>
      inTurns(io, async (turns) => {
        const history = await turns.run(runHistory(stored.records('again'), stored.checkpoint.config));
        const until = { history: history ?? { ends: [], diagnosed: new Set() }, until: stored.step };
        const rerun = rerunOf(stored, data, until, createBackend);
        const replay = new Replay(stored, rerun);
        const progress = new Progress(io, 0, stored.step);
        await turns.run(replay.steps(), () => progress.update(rerun.step, rerun.smoothedLoss));
        progress.clear();
        return { signal: turns.signal, replay };
      }),
    );
    if (signal) return EXIT_SIGNAL[signal];
    if (json) printJson(replay.json());
    else io.stdout.write(`${replay.lines(shortPath(stored.path, io), await paint()).join('\n')}\n`);
    return replay.same ? 0 : EXIT_NO;
  },
});
