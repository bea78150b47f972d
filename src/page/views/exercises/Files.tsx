/** Taking your lines out as the files of the command line, and in again. */
import { useState } from 'preact/hooks';
import { countOf } from '../../../core/text.js';
import { ask } from '../../engine/client.js';
import type { ExerciseEntry, LineEntry } from '../../engine/exercises.js';
import { codeOf, isBlank } from '../../learner/lineCode.js';
import { FileButton } from '../../parts/FileButton.js';
import { saveFile } from '../../parts/saveFile.js';
import { useDroppedFiles } from '../../parts/useDroppedFiles.js';
import { catalogue, checkRest } from './checks.js';
import { textOf } from './progress.js';
import { type Restore, type Taken, takeFiles } from './takeFiles.js';

export function Files({ exercise }: { exercise: ExerciseEntry }) {
  const [said, setSaid] = useState<{ texts: readonly string[]; restore?: Restore | undefined }>({ texts: [] });
  const take = async (files: Iterable<File>) => {
    const { taken, problems, restore } = await takeFiles(files, catalogue.value ?? []);
    const texts = [...taken.flatMap(takenTexts), ...problems];
    setSaid({ texts, restore: taken.length > 0 ? restore : undefined });
    checkRest();
  };
  useDroppedFiles(take);
  const undo = () => {
    said.restore?.();
    setSaid({ texts: ['Your lines are as before.'] });
    checkRest();
  };
  return (
    <div class="files">
      <button type="button" title={`exercise${exercise.number}.ts, as the command line reads it`} onClick={() => save(exercise)}>
        Save as file
      </button>
      <FileButton text="Open files" label="Files of the exercises" accept=".ts,.js,.txt" multiple onFiles={take} />
      <div class="files-said" role="status">
        {said.texts.map((text) => (
          <p key={text}>{text}</p>
        ))}
        {said.restore && (
          <button type="button" onClick={undo}>
            Undo
          </button>
        )}
      </div>
    </div>
  );
}

/** What was taken from a file, in sentences. */
function takenTexts({ file, count, replaced, kept }: Taken): string[] {
  const those = (names: readonly string[]) =>
    names.length <= 6 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
  return [
    count === 0 ? `${file} has no line that is written.` : `Took ${countOf(count, 'line')} from ${file}.`,
    ...(replaced.length > 0 ? [`In place of yours: ${those(replaced)}.`] : []),
    ...(kept.length > 0 ? [`Not written in ${file}, so yours stays: ${those(kept)}.`] : []),
  ];
}

/** Comments alone are not a function: the stub follows them. */
function codeInFile({ name, stub }: LineEntry, text: string): string {
  const code = codeOf(name, text).trim();
  return isBlank(code) ? `${code}\n${stub}`.trim() : code;
}

/** Saves the file that `exercise check` reads. */
async function save({ number, lines }: ExerciseEntry): Promise<void> {
  const written = lines.flatMap((line) => {
    const { name } = line;
    const text = textOf(number, name);
    return text === undefined ? [] : [[name, codeInFile(line, text)] as const];
  });
  const text = await ask('exerciseText', number, { lines: Object.fromEntries(written), top: textOf(number, 'top') ?? '' });
  saveFile(`exercise${number}.ts`, new Blob([text], { type: 'text/plain' }));
}
