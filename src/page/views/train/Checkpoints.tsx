/** A checkpoint out, as the command line writes it, and in again. */
import { ask } from '../../engine/client.js';
import { FileButton } from '../../parts/FileButton.js';
import { saveFile } from '../../parts/saveFile.js';
import { useDroppedFiles } from '../../parts/useDroppedFiles.js';
import { live, openCheckpoint, opening } from './live.js';

export function Checkpoints() {
  const canSave = live.value !== undefined && !opening.value;
  const save = async () => saveFile('checkpoint.safetensors', new Blob([(await ask('liveCheckpoint')) as Uint8Array<ArrayBuffer>]));
  useDroppedFiles(([file]) => file && openCheckpoint(file));
  return (
    <span class="train-buttons">
      <button type="button" aria-disabled={!canSave} onClick={() => canSave && save()}>
        Save checkpoint
      </button>
      <FileButton text="Open checkpoint" label="A checkpoint" accept=".safetensors" onFiles={([file]) => file && openCheckpoint(file)} />
    </span>
  );
}
