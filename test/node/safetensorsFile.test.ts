import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SystemError } from '../../src/core/errors.js';
import { readSafetensorsBytes, readSafetensorsFile } from '../../src/node/safetensorsFile.js';
import { readSafetensors } from '../../src/run/safetensors.js';
import { rawFile, refusal, smallSafetensors } from '../support/safetensorsFiles.js';
import { put, tempDirectory } from '../support/tempDirectory.js';

describe('a safetensors file on the disk', () => {
  it('has the same content as its bytes', () => {
    const path = put(tempDirectory(), 'file', smallSafetensors());
    expect(readSafetensorsFile(path)).toEqual(readSafetensors(smallSafetensors()));
    expect(Buffer.from(readSafetensorsBytes(path))).toEqual(Buffer.from(smallSafetensors()));
  });

  it('is named in front of the problem, escaped', () => {
    const path = put(tempDirectory(), 'my\nfile', 'short');
    expect(refusal(() => readSafetensorsFile(path))).toBe(
      `${path.replace('\n', '\\x0a')}: not a safetensors file: 5 bytes, expected at least 8`,
    );
    expect(refusal(() => readSafetensorsFile(path, 'mine'))).toBe('mine: not a safetensors file: 5 bytes, expected at least 8');
  });

  it('that is missing or a directory is a SystemError with path and reason', () => {
    const directory = tempDirectory();
    const missing = join(directory, 'none');
    expect(() => readSafetensorsFile(missing)).toThrow(new SystemError(`cannot read ${missing}: no such file or directory`));
    expect(() => readSafetensorsFile(directory)).toThrow(new SystemError(`cannot read ${directory}: it is a directory`));
  });

  it('of a gigabyte is refused by its header, without reading its data', () => {
    const path = put(tempDirectory(), 'large', rawFile({ a: { dtype: 'U8', shape: [2 ** 30], data_offsets: [0, 2 ** 30] } }));
    truncateSync(path, 2 ** 30);
    const before = process.memoryUsage().arrayBuffers;
    expect(refusal(() => readSafetensorsFile(path))).toContain('its header describes 1073741824');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });
});
