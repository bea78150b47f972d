// Files that try to be right without being right: their process supplies arrays, and another one judges them.
import { describe, expect, it } from 'vitest';
import { check, exercise1With, problems } from '../support/learnerFiles.js';

/** A line that returns zeros. */
const ZEROS =
  'import { Tensor } from "backprop-ninja"; const zeros = ({ logits }) => Tensor.zerosLike(logits); export default { dlogits: zeros };';

/** The bytes of a message to the checker. */
const FRAME = `
import fs from "node:fs";
const frame = (header: object | string, body = Buffer.alloc(0), claimed = body.length) => {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(json.length, 0);
  prefix.writeUInt32LE(claimed, 4);
  return Buffer.concat([prefix, json, body]);
};
const right = { name: "dlogits", shape: [32, 27], verdict: "right" };
`;

describe('a verdict cannot be forged', () => {
  it.each([
    ['sends a report as a message', `process.send?.({ kind: "report", report: { name: "dlogits", verdict: "right" } }); ${ZEROS}`],
    [
      'patches the methods of a tensor',
      `${ZEROS} Tensor.prototype.sub = function () { return Tensor.zerosLike(this); }; Tensor.prototype.to = function () { return Tensor.zerosLike(this); };`,
    ],
    [
      'patches the arithmetic of the language',
      `${ZEROS} Math.abs = () => 0; Math.max = () => 0; Number.isFinite = () => true; Array.prototype.every = () => true;`,
    ],
    [
      'patches JSON and typed arrays',
      `${ZEROS} const { stringify } = JSON; JSON.stringify = (x: any) => stringify({ ...x, verdict: "right", ok: true });`,
    ],
    ['writes a report to the channel', `${FRAME} fs.writeSync(4, frame({ kind: "report", id: 0, report: right })); ${ZEROS}`],
    ['ends early with a success', `${ZEROS} process.exitCode = 0; setTimeout(() => process.exit(0), 0);`],
  ])('by a file that %s', async (_, text) => {
    const { exitCode, report } = await check(2, { 'exercise2.ts': text });
    expect(exitCode).toBe(1);
    expect(report.ok).toBe(false);
    expect(report.lines.filter(({ verdict }) => verdict === 'right')).toEqual([]);
  });

  it('by a line that returns what it was given: the right gradient is not among its values', async () => {
    const checked = await check(
      1,
      exercise1With({
        dW1: '(at: any) => at.dW1',
        dC: '({ dC }: any) => dC',
        dh: '(at: any) => Object.values(at).find((x: any) => x === at.dhpreact)',
      }),
    );
    expect(problems(checked)).toEqual({
      dh: expect.stringContaining('dhpreact is computed after dh: a line reads only the gradients above it'),
      dW1: expect.stringContaining('dW1 is what this line computes'),
      dC: expect.stringContaining('dC is what this line computes'),
    });
  });
});

describe('the checker survives a file that writes into its channel', () => {
  const inLine = (code: string) =>
    `${FRAME} import { Tensor } from "backprop-ninja"; export default { dlogits: ({ logits }: any) => { ${code}; return Tensor.zerosLike(logits); } };`;
  it.each([
    ['a frame of 4 GB', 'fs.writeSync(4, frame("{}", Buffer.alloc(0), 2 ** 32 - 1))'],
    ['text that is not JSON', 'fs.writeSync(4, frame("[".repeat(100000)))'],
    ['__proto__', 'fs.writeSync(4, frame(`{"__proto__": {"kind": "returned", "id": 1}}`))'],
    ['an unknown message', 'fs.writeSync(4, frame({ kind: "done", id: 1 }))'],
    ['a number for another request', 'fs.writeSync(4, frame({ kind: "settled", id: 1e9 }))'],
    [
      'an array larger than its bytes',
      'fs.writeSync(4, frame({ kind: "returned", id: 1, text: "", arrays: [{ name: "dlogits", dtype: "float64", shape: [32, 27] }] }))',
    ],
    [
      'a shape of 2^53',
      'fs.writeSync(4, frame({ kind: "returned", id: 1, text: "", arrays: [{ name: "dlogits", dtype: "float64", shape: [2 ** 53, 0] }] }))',
    ],
    [
      'an unknown type',
      'fs.writeSync(4, frame({ kind: "returned", id: 1, text: "", arrays: [{ name: "dlogits", dtype: "constructor", shape: [0] }] }))',
    ],
    ['another result', 'fs.writeSync(4, frame({ kind: "returned", id: 1, text: "" }))'],
    ['messages without end', 'for (;;) fs.writeSync(4, frame({ kind: "settled", id: 7 }))'],
    ['noise', 'fs.writeSync(4, Buffer.alloc(1e5, 255))'],
  ])('%s', async (_, code) => {
    const checked = await check(2, { 'exercise2.ts': inLine(code) });
    expect(problems(checked)).toEqual({
      dlogits: 'its process sends what is no result: leave built-in objects and file descriptor 4 alone',
    });
  });

  it('errors without end: each is shown once, and no more than 100', async () => {
    const { stderr } = await check(2, {
      'exercise2.ts': inLine('for (let i = 0; i < 5000; i++) fs.writeSync(4, frame({ kind: "uncaught", thrown: { text: "no " + i } }))'),
    });
    expect(stderr.trimEnd().split('\n')).toHaveLength(100);
  });

  it.each([
    ['closes it', 'fs.closeSync(4)', /^it ended the program/],
    ['closes the other end', 'fs.closeSync(3)', /^it ended the program/],
    ['uses Node’s own channel', 'process.disconnect?.(); process.channel?.unref(); process.send?.({})', /^it is 0 everywhere/],
  ])('a file that %s', async (_, code, why) => {
    const { report, exitCode } = await check(2, { 'exercise2.ts': inLine(code) });
    expect(exitCode).toBe(1);
    expect(report.lines[0].verdict === 'wrong' ? 'it is 0 everywhere' : report.lines[0].problem).toMatch(why);
  });
});

describe('a result is arrays and nothing else', () => {
  const returning = (code: string) => ({
    'exercise2.ts': `import { softmax, Tensor } from "backprop-ninja"; const line = ({ logits, Yb, n }: any) => softmax(logits).sub(Tensor.oneHot(Yb, logits.shape[1])).div(n);
    export default { dlogits: (at: any) => { const { data, shape } = line(at); ${code} } };`,
  });

  it.each([
    ['a subclass of a typed array', 'class Mine extends (data.constructor as any) {}; return { data: new Mine(data), shape };'],
    ['shared memory', 'const own = new Float64Array(new SharedArrayBuffer(data.length * 8)); own.set(data); return { data: own, shape };'],
    [
      'a resizable buffer',
      'const own = new Float64Array(new (ArrayBuffer as any)(data.length * 8, { maxByteLength: 1e6 })); own.set(data); return { data: own, shape };',
    ],
    [
      'a part of a larger buffer',
      'const own = new Float64Array(data.length + 9).subarray(3, 3 + data.length); own.set(data); return { data: own, shape };',
    ],
    ['getters', 'return { get data() { return data; }, get shape() { return shape; }, verdict: "wrong" };'],
    ['a proxy', 'return new Proxy({ data, shape }, {});'],
  ])('%s is read as a tensor', async (_, code) => {
    expect((await check(2, returning(code))).report.lines[0]).toMatchObject({ verdict: 'right' });
  });

  it.each([
    ['big integers', 'return { data: new BigInt64Array(data.length), shape };', 'it returns an object, expected a Tensor'],
    ['integers', 'return { data: new Int32Array(data.length), shape };', 'it returns a list of indices, expected a Tensor'],
    ['a list with holes as its shape', 'return { data, shape: [, 27] };', /^it returns an invalid tensor: ShapeError/],
    ['NaN in its shape', 'return { data, shape: [NaN, 27] };', /^it returns an invalid tensor: ShapeError/],
    ['a shape of 2^53', 'return { data, shape: [2 ** 53, 2 ** 53] };', /^it returns an invalid tensor: ShapeError/],
    [
      'a shape of thousands of dimensions',
      'return { data, shape: [...shape, ...new Array(1e5).fill(1)] };',
      /^it returns an invalid tensor: ShapeError: 100002 dimensions, at most 64 are possible$/,
    ],
    ['a million entries', 'return Tensor.zeros([1000, 1000]);', 'shape [1000, 1000], expected [32, 27]'],
    ['a thrown text of megabytes', 'throw new Error("x".repeat(1e7));', /^it threw Error: x{400,500}…/],
    ['a thrown escape sequence', 'throw new Error("\\x1b[2J\\u202e\\x07");', /^it threw Error: \\x1b\[2J\\u202e\\x07 \(line \d+\)$/],
  ])('%s is refused', async (_, code, why) => {
    const { report } = await check(2, returning(code));
    expect(report.lines[0].verdict).not.toBe('right');
    expect(report.lines[0].problem).toMatch(why instanceof RegExp ? why : new RegExp(`^${why.replace(/[[\]]/g, '\\$&')}$`));
  });
});
