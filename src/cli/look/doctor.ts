import type { CreateBackend } from '../../backend/backend.js';
import { UsageError } from '../../core/errors.js';
import type { Job } from '../../core/job.js';
import { choice, flag, text } from '../../core/kinds.js';
import { flagName, type OptionRow, rowsOf } from '../../core/optionRow.js';
import { findCheckpoint } from '../../node/runDirectory.js';
import type { FindingFacts } from '../../run/findings/finding.js';
import { findingsOf } from '../../run/findings/findings.js';
import { TRAINING_OPTIONS } from '../../training/options.js';
import { PRESET_NAMES } from '../../training/presets.js';
import { defineCommand } from '../command.js';
import { THREADS_OPTION, withKernels } from '../kernels.js';
import { EXIT_NO, EXIT_SIGNAL } from '../terminal/exitCodes.js';
import { formatCount, widthOf } from '../terminal/format.js';
import { type IO, type StopSignal, shortPath } from '../terminal/io.js';
import { Status } from '../terminal/status.js';
import { inTurns } from '../terminal/turns.js';
import { beginningFacts, type GivenNetwork } from './doctorBegin.js';
import { doctorLines } from './doctorReport.js';
import { runFacts } from './runFacts.js';
import { StoredRun } from './storedRun.js';

/** train's options, which describe a network that is not trained yet. */
const NETWORK_OPTIONS: readonly OptionRow[] = [
  {
    key: 'preset',
    flag: '--preset <name>',
    description: "one of train's recipes",
    kind: choice(PRESET_NAMES),
    group: 'With --init:',
    defaultText: 'lesson',
  },
  ...rowsOf(TRAINING_OPTIONS, 'train')
    .filter(({ key }) => key !== 'init')
    .map((row: OptionRow) => ({ ...row, group: 'With --init:' })),
];

const OPTIONS = [
  { key: 'data', flag: '--data <file>', description: 'data set', defaultText: "the run's own; with --init, the bundled names", kind: text },
  { key: 'strict', flag: '--strict', description: 'exit with 1 if there is a finding', kind: flag },
  {
    key: 'init',
    flag: '--init [file]',
    description: 'look at a network before it is trained, from the options of train; with a file or a run, it begins with those parameters',
    kind: text,
  },
  THREADS_OPTION,
] as const satisfies readonly OptionRow[];

export const doctor = defineCommand({
  description:
    'Says what is wrong with a network and its training, worst first: the number, the rule, what it means and which option to turn.',
  arguments: [{ name: '[run]', description: 'run directory or checkpoint', defaultText: 'runs/latest' }],
  options: [...OPTIONS, ...NETWORK_OPTIONS],
  examples: [
    ['backprop-ninja doctor', 'the newest run'],
    ['backprop-ninja doctor runs/0001 --strict', 'for a script: exit code 1 if there is a finding'],
    ['backprop-ninja doctor --init --norm none --init-gain 5', 'a network before it is trained'],
  ],
  async run({ io, json, given, options: { threads }, printJson, paint }, run?: string) {
    const asked = given as Asked;
    checkOptions(asked, run);
    const { what, checkpoint, jobWith } = asked.init === undefined ? ofRun(run, asked.data, io) : ofNetwork(asked, io);
    const status = new Status(io);
    const { facts, signal } = await withKernels(threads, io, (createBackend) =>
      inTurns(io, async (turns) => ({
        facts: await turns.run(jobWith(createBackend), () => status.update(() => 'looking at the network')),
        signal: turns.signal,
      })),
    );
    status.clear();
    if (!facts) return EXIT_SIGNAL[signal as StopSignal];
    const findings = findingsOf(facts);
    if (json) printJson({ ok: findings.length === 0, checkpoint, findings });
    else io.stdout.write(`${doctorLines(what, findings, facts, widthOf(io.stdout), await paint()).join('\n')}\n`);
    return asked.strict && findings.length > 0 ? EXIT_NO : 0;
  },
});

/** The options on the command line. Without a file, --init draws the network. */
type Asked = Omit<GivenNetwork, 'init'> & { init?: string | true; strict?: boolean; threads?: number | 'auto' };

/** @throws UsageError if options of a new network come without --init, or with a run */
function checkOptions(given: Asked, run: string | undefined): void {
  if (given.init !== undefined && run !== undefined) {
    throw new UsageError(`--init looks at a new network, and ${run} is a run`, { hint: 'leave one of them out' });
  }
  const row = given.init === undefined ? NETWORK_OPTIONS.find(({ key }) => key in given) : undefined;
  if (row) throw new UsageError(`${flagName(row)} goes with --init: a run has its own options`, { hint: 'add --init, or leave it out' });
}

interface Looked {
  what: string;
  /** Its path; null for a network that is not trained. */
  checkpoint: string | null;
  jobWith: (createBackend: CreateBackend) => Job<FindingFacts>;
}

function ofRun(run: string | undefined, data: string | undefined, io: IO): Looked {
  const stored = new StoredRun(findCheckpoint(io.cwd, run), io);
  const { config } = stored.checkpoint;
  const steps = stored.isImported ? 'imported' : `step ${formatCount(stored.step)} of ${formatCount(config.steps)}`;
  const jobWith = (createBackend: CreateBackend) => runFacts(stored, data, createBackend, io);
  return { what: `${shortPath(stored.path, io)}, ${steps}`, checkpoint: stored.path, jobWith };
}

function ofNetwork({ init, strict, threads, ...given }: Asked, io: IO): Looked {
  const network = init === true ? given : { ...given, init };
  const jobWith = (createBackend: CreateBackend) => beginningFacts(network as GivenNetwork, createBackend, io);
  return { what: 'before the first step', checkpoint: null, jobWith };
}
