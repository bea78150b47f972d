/** Trains a network in the page: what `train` does, while you look. */
import { formatCount } from '../../../core/text.js';
import { CommandLine } from './CommandLine.js';
import { Controls } from './Controls.js';
import { Findings } from './Findings.js';
import { Inside } from './Inside.js';
import { LossView } from './LossView.js';
import { interrupted, live } from './live.js';
import { OptionsForm } from './OptionsForm.js';
import { Progress } from './Progress.js';
import { SamplesView } from './SamplesView.js';
import { WatchedTensor } from './WatchedTensor.js';

export function TrainView() {
  return (
    <section class="train" aria-labelledby="train-title">
      <Controls />
      <CommandLine />
      <OptionsForm />
      <div class="train-results">
        <Progress />
        {live.value ? (
          <>
            <LossView />
            <SamplesView />
            <Findings />
            <WatchedTensor />
          </>
        ) : (
          <Introduction />
        )}
      </div>
      {live.value && <Inside />}
    </section>
  );
}

function Introduction() {
  return (
    <div class="train-introduction">
      {interrupted && (
        <p class="train-differs">
          The training before was at step {formatCount(interrupted.step)} of {formatCount(interrupted.steps)} when this page was loaded
          again. Start trains from the beginning: with the same options, it comes to the same numbers. To keep a training, save its
          checkpoint.
        </p>
      )}
      <p>
        A network learns to invent names, in this browser, with the same numbers as in the terminal. Choose a preset or change options, then
        press <b>Start</b>. While it trains, you see its loss beside what counting letters achieves, the names that it invents, its tensors,
        and what is wrong with it.
      </p>
      <p>
        It trains on while you look at another view. Reloading the page ends it; a checkpoint keeps it, and opens here and in the terminal.
        The address carries your options: send it to let others train the same.
      </p>
    </div>
  );
}
