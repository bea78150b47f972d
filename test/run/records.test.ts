import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference.js';
import { createModel, type Model } from '../../src/network/arrays.js';
import { initialise } from '../../src/network/initialise.js';
import { LESSON_PARAMETER_NAMES, NORMS, parameterNames } from '../../src/network/parameters.js';
import { sha256 } from '../../src/node/sha256.js';
import { hashRecord, parameterHashes, parseRecord } from '../../src/run/records.js';

function smallModel(): Model {
  const model = createModel(createReferenceBackend('float32'), { context: 2, embedding: 2, hidden: [3], vocabulary: 3 });
  initialise(model, 7);
  return model;
}

describe('hash records', () => {
  it('hold the first 16 digits of the SHA-256 of each parameter, which a single bit changes', () => {
    const model = smallModel();
    const before = parameterHashes(model.parameters, sha256);
    expect(Object.keys(before)).toEqual([...LESSON_PARAMETER_NAMES]);
    for (const hash of Object.values(before)) expect(hash).toMatch(/^[0-9a-f]{16}$/);
    expect(hashRecord(5, model, sha256)).toEqual({ step: 5, hashes: before });
    const { W1 } = model.parameters;
    new Uint8Array(W1.buffer, W1.byteOffset, W1.byteLength)[4] ^= 1;
    const { W1: changed, ...others } = parameterHashes(model.parameters, sha256);
    expect(changed).not.toBe(before.W1);
    expect({ ...others, W1: before.W1 }).toEqual(before);
  });

  it.each(NORMS)('are read again, norm %s', (norm) => {
    const record = { step: 5, hashes: Object.fromEntries(parameterNames({ hidden: [3, 2], norm }).map((name) => [name, '0'.repeat(16)])) };
    expect(parseRecord(record)).toEqual(record);
  });

  it.each(['C', 'b2', 'bngain', 'bnbias'])('are refused without %s', (missing) => {
    const names = LESSON_PARAMETER_NAMES.filter((name) => name !== missing);
    expect(parseRecord({ step: 5, hashes: Object.fromEntries(names.map((name) => [name, '0'.repeat(16)])) })).toBeUndefined();
  });

  it('hash nothing but the bytes: 12 zeros have a known hash', () => {
    const model = smallModel();
    model.parameters.b1.fill(0);
    // printf '\0%.0s' {1..12} | sha256sum
    expect(parameterHashes(model.parameters, sha256).b1).toBe('15ec7bf0b50732b4');
  });
});
