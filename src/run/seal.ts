/** The SHA-256 inside a checkpoint: computed over the whole file with zeros in the digest's place, so that any changed byte is noticed. */
import type { Sha256 } from '../core/sha256.js';
import { decodeLatin1 } from '../core/utf8.js';
import { headerEnd } from './safetensors.js';

/** The digest's key and opening quote in the header's metadata. */
const DIGEST_KEY = '"sha256":"';
/** The placeholder that a file is written with before it is sealed. */
export const NO_DIGEST = '0'.repeat(64);

/** Replaces the placeholder in a safetensors file by the file's digest, in place. */
export function seal(file: Uint8Array, sha256: Sha256): Uint8Array {
  file.set(new TextEncoder().encode(sha256(file)), digestPosition(file, NO_DIGEST));
  return file;
}

/** Whether the file holds this digest, and the digest is right. */
export function isSealed(file: Uint8Array, digest: string, sha256: Sha256): boolean {
  const at = digestPosition(file, digest);
  if (at === -1) return false;
  // A real copy: slice of a Node Buffer would share its memory.
  const zeroed = new Uint8Array(file);
  zeroed.set(new TextEncoder().encode(NO_DIGEST), at);
  return sha256(zeroed) === digest;
}

/** Position of the digest's first character in the file, or -1 if the header does not contain the digest. */
function digestPosition(file: Uint8Array, digest: string): number {
  const header = decodeLatin1(file.subarray(0, headerEnd(file)));
  const at = header.indexOf(DIGEST_KEY + digest);
  return at === -1 ? -1 : at + DIGEST_KEY.length;
}
