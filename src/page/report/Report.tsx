import { useMemo, useState } from 'preact/hooks';
import { type ReportRun, reportNetwork } from '../../run/reportData.js';
import { DiagnosticsPlots } from '../training/DiagnosticsPlots.js';
import { EmbeddingMap } from '../training/EmbeddingMap.js';
import { NextCharacter } from '../training/NextCharacter.js';
import { keep, kept } from './live.js';

/** What of a run's report needs a script. */
export function Report({ run }: { run: ReportRun }) {
  const network = useMemo(() => reportNetwork(run), [run]);
  const [step, setStep] = useState(kept().step);
  return (
    <>
      {network && (
        <div class="report-pair">
          <section class="report-part" aria-labelledby="next">
            <h2 id="next">What it expects next</h2>
            <NextCharacter {...network} prefix={kept().prefix} onPrefix={(prefix) => keep({ prefix })} />
          </section>
          <section class="report-part" aria-labelledby="map">
            <h2 id="map">Map of the characters</h2>
            <EmbeddingMap vocabulary={network.vocabulary} C={network.tensors.C.data} embedding={network.config.embedding} />
          </section>
        </div>
      )}
      <section class="report-part" aria-labelledby="inside">
        <h2 id="inside">From inside, while it trained</h2>
        {run.diagnostics.length === 0 ? (
          <p>This run recorded no diagnostics. Train with --diagnose-every to see its activations, gradients and updates.</p>
        ) : (
          <DiagnosticsPlots
            records={run.diagnostics}
            step={step}
            onStep={(to) => {
              setStep(to);
              keep({ step: to });
            }}
          />
        )}
      </section>
    </>
  );
}
