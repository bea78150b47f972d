/** Reads files of tensors in any format that the program knows: safetensors, its own checkpoints among them, and NumPy's .npz. */
import { namingFile } from '../core/errors.js';
import { decodeLatin1 } from '../core/utf8.js';
import { statisticNames } from '../network/parameters.js';
import { FORMAT, parseCheckpoint } from '../run/checkpoint.js';
import { readNpz } from '../run/npz.js';
import { readSafetensors, type Safetensors } from '../run/safetensors.js';
import { readRegularFile, startOfFile } from './readFile.js';
import { readSafetensorsBytes } from './safetensorsFile.js';
import { sha256 } from './sha256.js';

/** A larger .npz is not read: it is unpacked in memory. */
const NPZ_LIMIT = 2 ** 30;

/** The tensors of a file, and the SHA-256 of its bytes. */
export interface TensorsFile extends Safetensors {
  sha256: string;
}

/**
 * The tensors of a file. Of a checkpoint, those of the network, without the optimizer's, and without statistics that were not computed.
 * @param shownAs the name of the file in messages
 * @throws SystemError if the file cannot be read
 * @throws FileContentError if it is damaged, or of another kind
 */
export function readTensorsFile(path: string, shownAs = path): TensorsFile {
  // Other zip archives and single arrays are refused there, by name.
  if (/^(PK|\x93NUMPY)/.test(decodeLatin1(startOfFile(path, 6, shownAs)))) {
    const bytes = readRegularFile(path, NPZ_LIMIT, shownAs);
    return { metadata: {}, tensors: namingFile(shownAs, () => readNpz(bytes)), sha256: sha256(bytes) };
  }
  const bytes = readSafetensorsBytes(path, shownAs);
  return namingFile(shownAs, () => {
    const { metadata, tensors } = readSafetensors(bytes);
    return { metadata, tensors: metadata.format === FORMAT ? networkOf(bytes, tensors) : tensors, sha256: sha256(bytes) };
  });
}

function networkOf(bytes: Uint8Array, tensors: Safetensors['tensors']): Safetensors['tensors'] {
  const { config, tensors: own, statistics } = parseCheckpoint(bytes, sha256);
  const missing: readonly string[] = statistics === 'missing' ? statisticNames(config) : [];
  return new Map([...tensors].filter(([name]) => own.has(name) && !missing.includes(name)));
}
