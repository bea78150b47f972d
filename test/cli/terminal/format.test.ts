import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDifference,
  formatDuration,
  formatLoss,
  formatTable,
  wrapCommand,
} from '../../../src/cli/terminal/format.js';

describe('formatted numbers', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1000, '1,000'],
    [1_234_567, '1,234,567'],
  ])('the count %d is %s', (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  it.each([
    [2.10987, '2.1099'],
    [0, '0.0000'],
    [Number.NaN, 'NaN'],
  ])('the loss %d is %s', (loss, text) => {
    expect(formatLoss(loss)).toBe(text);
  });

  it.each([
    [0, '0'],
    [1.26e-9, '1.3e-9'],
    [0.5, '5.0e-1'],
  ])('the difference %d is %s', (value, text) => {
    expect(formatDifference(value)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [0.4, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 0 s'],
    [200, '3 min 20 s'],
    [3599.6, '1 h 0 min'],
    [7500, '2 h 5 min'],
    [360_000, '100 h 0 min'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });

  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [1.5 * 2 ** 30, '1.5 GiB'],
    [2 ** 45, '32.0 TiB'],
    [2 ** 70, '1048576.0 PiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('tables', () => {
  it('have columns padded to the widest cell, two spaces apart, without trailing spaces', () => {
    expect(
      formatTable(
        [
          ['name', 'loss', ''],
          ['a', '10.5', 'ok'],
          ['longer', '2'],
        ],
        ['left', 'right', 'left'],
      ),
    ).toEqual(['name    loss', 'a       10.5  ok', 'longer     2']);
  });

  it('count code points, not UTF-16 halves', () => {
    const [first, second] = formatTable(
      [
        ['𝒜𝒜', 'new'],
        ['ab', 'new'],
      ],
      ['left', 'left'],
    );
    expect([first, second]).toEqual(['𝒜𝒜  new', 'ab  new']);
  });
});

describe('text', () => {
  it('ends with a command that can be copied, on lines of its own if it does not fit', () => {
    const command = "ninja watch 2 --dir 'my folder'";
    expect(wrapCommand('next:', command, 80)).toEqual([`next: ${command}`]);
    expect(wrapCommand('next:', command, 34)).toEqual(['next:', `  ${command}`]);
    expect(wrapCommand('next:', command, 24)).toEqual(['next:', '  ninja watch 2 --dir \\', "    'my folder'"]);
  });
});
