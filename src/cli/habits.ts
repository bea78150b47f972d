/** What people type who come from makemore, nanoGPT or PyTorch, and what it is called here. */

/** Other names of an option of `train`, without dashes. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  '--data': [
    'i',
    'input',
    'input-file',
    'infile',
    'file',
    'names',
    'words',
    'dataset',
    'data-file',
    'data-path',
    'data-dir',
    'train-file',
    'train-data',
    'text',
    'corpus',
  ],
  '--out': [
    'o',
    'work-dir',
    'workdir',
    'out-dir',
    'outdir',
    'output',
    'output-dir',
    'save-dir',
    'run-dir',
    'log-dir',
    'logdir',
    'checkpoint-dir',
    'save-path',
    'model-dir',
  ],
  '--steps': [
    'max-steps',
    'max-iters',
    'max-iter',
    'iters',
    'iterations',
    'num-steps',
    'n-steps',
    'train-steps',
    'total-steps',
    'num-iterations',
    'step',
  ],
  '--context': [
    'block-size',
    'blocksize',
    'context-length',
    'context-size',
    'context-len',
    'ctx',
    'n-ctx',
    'seq-len',
    'seq-length',
    'sequence-length',
    'max-len',
    'max-length',
    'window',
    'window-size',
  ],
  '--embedding': [
    'n-embd',
    'n-embed',
    'n-emb',
    'emb-dim',
    'embd',
    'emb',
    'emb-size',
    'embedding-dim',
    'embedding-size',
    'embed-dim',
    'embed-size',
    'd-model',
    'dim',
    'n-dim',
  ],
  '--hidden': [
    'n-embd2',
    'n-hidden',
    'hidden-size',
    'hidden-dim',
    'hidden-units',
    'hidden-layer',
    'hidden-layers',
    'num-hidden',
    'units',
    'neurons',
    'd-hidden',
    'hs',
    'width',
  ],
  '--batch-size': ['b', 'bs', 'batch', 'batchsize', 'mini-batch', 'minibatch', 'minibatch-size', 'train-batch-size', 'micro-batch-size'],
  '--norm': ['norm-type', 'norm-layer', 'batchnorm', 'batch-norm', 'bn', 'no-batchnorm', 'no-batch-norm', 'no-bn', 'no-norm'],
  '--init-gain': ['gain', 'kaiming-gain', 'weight-gain', 'init-scale', 'weight-scale', 'init-std', 'w1-scale'],
  '--init-output': ['output-scale', 'w2-scale', 'head-scale'],
  '--lr': ['l', 'learning-rate', 'learningrate', 'alpha', 'eta', 'step-size', 'rate', 'base-lr', 'max-lr', 'init-lr'],
  '--weight-decay': ['w', 'wd', 'l2', 'decay', 'weightdecay', 'l2-reg', 'regularization'],
  '--optimizer': ['optim', 'opt', 'optimiser', 'solver'],
  '--momentum': ['mu', 'mom'],
  '--beta1': ['b1', 'adam-beta1', 'betas'],
  '--beta2': ['b2', 'adam-beta2'],
  '--clip': ['grad-clip', 'gradient-clip', 'clip-grad', 'clip-grad-norm', 'grad-norm', 'max-grad-norm', 'max-norm', 'gradient-clipping'],
  '--schedule': ['scheduler', 'lr-schedule', 'lr-scheduler', 'lr-decay', 'decay-lr', 'lr-decay-iters', 'min-lr', 'scheduler-type'],
  '--warmup': ['warmup-iters', 'warmup-steps', 'warm-up', 'num-warmup-steps', 'warmup-epochs', 'warmup-ratio'],
  '--eval-every': [
    'eval-interval',
    'eval-freq',
    'eval-steps',
    'eval-iters',
    'evaluate-every',
    'val-every',
    'val-interval',
    'log-interval',
    'log-every',
    'print-every',
  ],
  '--save-every': [
    'save-interval',
    'save-steps',
    'save-freq',
    'checkpoint-every',
    'checkpoint-interval',
    'ckpt-every',
    'always-save-checkpoint',
  ],
  '--threads': ['num-threads', 'n-threads', 'nthreads', 'nproc', 'cores', 'num-cores'],
  '--seed': ['random-seed', 'manual-seed', 'random-state', 'rng-seed', 'torch-seed'],
  '--split-seed': ['data-seed', 'shuffle-seed'],
  '--resume': [
    'r',
    'resume-from',
    'resume-training',
    'restore',
    'restart',
    'init-from',
    'from-checkpoint',
    'load',
    'load-checkpoint',
    'ckpt',
    'checkpoint',
    'model-path',
    'resume-from-checkpoint',
  ],
  '--unique': ['dedup', 'deduplicate', 'uniq', 'drop-duplicates'],
  '--force': ['y', 'yes', 'overwrite', 'overwrite-output-dir', 'clobber'],
  '--preset': ['config', 'recipe', 'model-config', 'cfg'],
  '--column': ['col', 'columns', 'field', 'text-column', 'column-name', 'names-column'],
  '--normalize': ['normalise', 'unicode', 'nfc', 'normalization', 'unicode-normalization'],
};

/** Options that have no counterpart, or one of another kind. */
const OTHERS: readonly (readonly [names: readonly string[], answer: string])[] = [
  [
    ['epochs', 'epoch', 'num-epochs', 'n-epochs', 'max-epochs', 'num-train-epochs'],
    'give the number of steps with --steps; --sampling epochs goes through all examples in turn',
  ],
  [
    ['n-layer', 'n-layers', 'num-layers', 'layers', 'depth', 'num-hidden-layers'],
    '--hidden has a size per block: --hidden 200,200 makes two',
  ],
  [
    ['n-head', 'n-heads', 'num-heads', 'heads', 'num-attention-heads', 'dropout', 'bias'],
    'the network has blocks of linear layer, batch norm and tanh: no attention, no dropout',
  ],
  [
    ['type', 'model', 'm', 'arch', 'architecture', 'model-type', 'model-name'],
    "there is one kind of network, makemore's MLP; --hidden sets its blocks, and --norm none leaves batch norm out",
  ],
  [
    ['device', 'cuda', 'gpu', 'gpus', 'no-cuda', 'use-cuda', 'cpu', 'mps', 'local-rank', 'ngpu'],
    'leave it out: training runs on the CPU; --threads sets how many cores',
  ],
  [
    ['num-workers', 'workers', 'j', 'jobs'],
    "training needs no workers: --threads sets its threads, and 'sweep' trains several runs at a time",
  ],
  [
    ['dtype', 'fp16', 'bf16', 'amp', 'compile', 'float32', 'precision', 'mixed-precision', 'backend', 'half'],
    'leave it out: training computes in float32',
  ],
  [
    ['sample-only', 'generate', 'sample', 'samples', 'eval-only', 'test', 'test-only'],
    "that is a command: 'sample' prints names, 'eval' a loss",
  ],
  [
    [
      'top-k',
      'topk',
      'k',
      'top-p',
      't',
      'temperature',
      'temp',
      'num-samples',
      'n-samples',
      'max-new-tokens',
      'start',
      'prompt',
      'prefix',
      'count',
    ],
    "it belongs to 'sample': --count, --temperature, --top-k and --prefix",
  ],
  [
    ['wandb', 'wandb-log', 'wandb-project', 'wandb-run-name', 'tensorboard', 'log', 'log-file'],
    "leave it out: every run writes metrics.jsonl in its directory; 'diff' compares runs",
  ],
  [['gradient-accumulation-steps', 'grad-accum', 'accumulation-steps', 'accumulate'], 'raise --batch-size: a step takes the whole batch'],
  [
    ['val-split', 'test-split', 'val-size', 'validation-split', 'split', 'train-split', 'test-size'],
    'the names are split 80/10/10; --split-seed decides which are held out',
  ],
  [['q', 'quiet', 'silent', 'v', 'verbose', 'progress', 'no-progress'], 'leave it out: progress goes to stderr, so 2>/dev/null hides it'],
];

/** Other names of the options of single commands: what test runners, gradient checkers and exporters call them. */
const OF_COMMAND: Readonly<Record<string, readonly (readonly [names: readonly string[], answer: string])[]>> = {
  'grad-check': [
    [['t', 'k', 'name', 'layer', 'layers', 'filter', 'grep', 'test', 'test-name-pattern'], 'it is --only here'],
    [['w', 'watch-all'], 'it is --watch here'],
    [['fp32', 'f32', 'single'], 'it is --float32 here'],
    [
      ['atol', 'rtol', 'tol', 'delta', 'step'],
      "leave it out for layers: steps and limits come from each layer's own rounding; --eps and --tolerance are for the program's own gradients",
    ],
  ],
  export: [
    [
      ['o', 'out', 'output', 'output-file', 'out-file', 'outfile', 'file', 'f', 'dest', 'path', 'save', 'save-path', 'name', 'model'],
      'it is --to here; the extension chooses the format',
    ],
    [
      ['format', 'type', 'onnx', 'npz', 'numpy', 'safetensors', 'opset', 'opset-version', 'torch', 'pytorch'],
      'the extension of --to chooses the format: .onnx, .npz, .safetensors or .json',
    ],
    [['lists', 'names', 'parts', 'data-dir', 'split-dir'], 'it is --split here, with a directory'],
    [['steps', 'k', 'num-steps', 'n-steps', 'iters', 'max-steps'], 'it is --trace here'],
  ],
  open: [
    [['o', 'output-file', 'out-file', 'outfile', 'file', 'f', 'dest', 'save', 'to', 'export', 'copy'], 'it is --out here'],
    [['no-open', 'no-browser', 'no-launch', 'path', 'url', 'dry-run', 'n'], '--print prints the path and opens nothing'],
    [['p', 'port', 'host', 'bind', 'serve', 'server', 'listen'], 'leave it out: there is no server, the page is one file'],
    [['browser', 'b', 'app', 'with'], 'the default browser opens the page; --print prints the path for another one'],
    [['r', 'checkpoint', 'model', 'weights', 'resume', 'load'], 'it is --run here'],
  ],
  why: [
    [['batch-size', 'b', 'bs', 'batchsize', 'size', 'examples'], 'it is --n here'],
    [['step', 'k', 'iter', 'batch-number'], 'it is --batch here'],
    [['checkpoint', 'ckpt', 'model', 'resume', 'load', 'r', 'weights'], 'it is --run here'],
    [['at', 'entry', 'index', 'i', 'tensor', 'name', 'grad', 'gradient'], 'leave it out: name the tensor and the entry, such as dW1 3,17'],
  ],
};

/**
 * What an unknown option is called here.
 * @param option as typed: `--block_size=8`
 * @param command the command that it was typed for
 * @param has whether that command has an option
 */
export function habitHint(option: string, command: string, has: (flag: string) => boolean): string | undefined {
  if (command === 'why' && /^-\d/.test(option)) return 'indices count from 0, and never from the end';
  const name = option.replace(/^-+/, '').replace(/=.*$/s, '').replaceAll('_', '-').toLowerCase();
  const ofCommand = OF_COMMAND[command]?.find(([names]) => names.includes(name));
  if (ofCommand) return ofCommand[1];
  const same = Object.keys(SAME).find((flag) => SAME[flag].includes(name) || flag === `--${name}`);
  if (same === undefined) return OTHERS.find(([names]) => names.includes(name))?.[1];
  if (has(same)) return `it is ${same} here`;
  if (command === 'sweep') return `it is ${same}, after --`;
  return same === `--${name}` ? "it is an option of 'train'" : `it is ${same} in 'train'`;
}

/** Every option that the tables know, for their tests. */
export const HABITS = { SAME, OTHERS, OF_COMMAND };

/** Other names of commands. */
const COMMAND_HABITS: readonly (readonly [names: readonly string[], answer: string])[] = [
  [['generate', 'gen', 'infer', 'predict', 'names'], 'sample'],
  [['evaluate', 'test', 'validate', 'val', 'loss', 'score'], 'eval'],
  [['resume', 'continue', 'restart'], 'train --resume'],
  [['fit', 'run', 'learn', 'start-training', 'new'], 'train'],
  [['gradcheck', 'gradient-check', 'grad', 'check-gradients', 'verify'], 'grad-check'],
  [['lrfind', 'find-lr', 'lr', 'lr-finder'], 'lr-find'],
  [['explain', 'inspect', 'entry', 'because', 'backward'], 'why'],
  [['grid', 'search', 'tune', 'hyperparameters', 'grid-search'], 'sweep'],
  [['compare', 'cmp'], 'diff'],
  [['benchmark', 'time', 'speed', 'profile'], 'bench'],
  [['exercises', 'start', 'lesson', 'dojo', 'init', 'ex'], 'exercise start'],
  [
    [
      'page',
      'browse',
      'browser',
      'web',
      'ui',
      'gui',
      'serve',
      'server',
      'show',
      'view',
      'app',
      'html',
      'playground',
      'visualize',
      'visualise',
      'viz',
    ],
    'open',
  ],
  [['check'], 'exercise check'],
  [['watch'], 'exercise watch'],
  [['hint', 'hints'], 'exercise hint'],
];

/** The command that another program calls by this name. */
export function commandHabit(name: string): string | undefined {
  return COMMAND_HABITS.find(([names]) => names.includes(name.toLowerCase()))?.[1];
}
