import { createHash } from 'node:crypto';
import type { Sha256 } from '../core/sha256.js';

/** The SHA-256 of bytes as 64 hexadecimal digits, from node:crypto. */
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
