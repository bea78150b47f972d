import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { reportJson } from '../../../src/cli/check/againstReport.js';
import { remarkText } from '../../../src/dojo/against/remarks.js';
import { MAIN, start } from '../../support/child.js';
import { runPython } from '../../support/python.js';
import { makeDirectory, removeDirectory } from '../../support/tempDirectory.js';
import { type Case, isTrue, type Judged, judge, located, named, names, readBank } from './expectations.js';

/** Cases whose culprits are not the expected ones. */
const mislocated = (cases: Judged[]) =>
  cases
    .filter(({ row }) => row.wrong !== undefined)
    .flatMap((one) => {
      const { found, expected } = located(one);
      return found.join() === expected.join() ? [] : [named(one, `found ${found}, expected ${expected}`)];
    });

/** How many mistakes were named, and the names that are not true. */
function naming(cases: Judged[]) {
  const all = cases.flatMap((one) => names(one).map((name) => ({ one, ...name })));
  const given = all.filter(({ mistake }) => mistake !== null);
  const untrue = given.filter((name) => !name.isTrue).map(({ one, line, mistake }) => named(one, `${line}: ${mistake?.text}`));
  return { share: given.length / all.length, untrue };
}

/** The tests of the bank in one type of numbers. Half of the mistakes are planted in each, or all of them with BANK=whole. */
export function testBank(dtype: Case['dtype']): void {
  let directory: string;
  let judged: Judged[];
  const of = (...kinds: string[]) => judged.filter(({ row }) => kinds.includes(row.kind));
  const whole = process.env.BANK === 'whole';

  beforeAll(async () => {
    directory = makeDirectory();
    const main = `write.main(${JSON.stringify(directory)}, '${dtype}', ${whole ? 'True' : 'False'})`;
    const script = `import sys\nsys.path.insert(0, ${JSON.stringify(import.meta.dirname)})\nimport write\n${main}`;
    const { stderr, exitCode } = await runPython(directory, script);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    judged = readBank(directory).map((row) => judge(directory, row));
    return () => removeDirectory(directory);
  }, 900_000);

  it('expects of each case what PyTorch and the lecture measure', () => {
    expect(
      judged.filter(({ row }) => row.measured && row.wrong?.join() !== row.measured.join()).map((one) => named(one, one.row.measured)),
    ).toEqual([]);
  });

  it('locates every single mistake that the values show as the only line wrong by itself', () => {
    expect(of('single').length).toBeGreaterThan(100);
    expect(mislocated(of('single'))).toEqual([]);
  });

  it('blames no other line for a mistake that the values hardly show', () => {
    const found = of('hidden').flatMap((one) => located(one).found.map((name) => [name, located(one).expected.join()]));
    expect(found.filter(([name, planted]) => name !== planted)).toEqual([]);
    expect(naming(of('hidden')).untrue).toEqual([]);
  });

  it('names at least 85 % of the single mistakes, and none wrongly', () => {
    const { share, untrue } = naming(of('single'));
    expect(untrue).toEqual([]);
    expect(share).toBeGreaterThanOrEqual(0.85);
  });

  it.each(['2 at once', '4 at once'])('locates and names mistakes made %s', (kind) => {
    expect(mislocated(of(kind))).toEqual([]);
    const { share, untrue } = naming(of(kind));
    expect(untrue).toEqual([]);
    expect(share).toBeGreaterThanOrEqual(0.85);
  });

  it("finds nothing wrong in autograd's gradients and the lecture's own code, except for the shape of dbnmeani", () => {
    const cases = of('right');
    expect(mislocated(cases)).toEqual([]);
    expect(
      cases.filter(({ report }) => !report?.ok).map((one) => named(one, one.report?.tensors.filter(({ ok }) => !ok) ?? one.refusal)),
    ).toEqual([]);
    for (const { row, report } of cases) {
      const remarks = report?.tensors.filter((one) => one.remarks.length > 0).map((one) => [one.name, one.remarks] as const);
      if (row.remarks)
        expect(
          remarks?.map(([name]) => name),
          named({ row, report, refusal: '' }, remarks),
        ).toEqual(row.remarks);
      if (row.absent) expect([...(report?.absent ?? [])].sort()).toEqual([...row.absent].sort());
    }
  });

  it('names the first forward value that differs, and the usual causes', () => {
    const failures = of('forward_mistakes', 'inconsistent', 'in_memory_order')
      .filter(({ row }) => row.first)
      .flatMap((one) => {
        const first = one.report?.forward.first ?? null;
        const [name, words] = one.row.first ?? ['', []];
        if (first === null || first.name.replace('embcat', 'embact') !== name)
          return [named(one, `first: ${first?.name ?? one.refusal}, expected ${name}`)];
        if (words.length > 0 && !(first.cause && isTrue(first.cause, words))) return [named(one, `cause: ${first.cause?.text}`)];
        return [];
      });
    expect(failures).toEqual([]);
  });

  it('recognises what is wrong with the notebook, not with a line', () => {
    const cases = of('in_memory_order', 'accumulated', 'stored_wider', 'names', 'inconsistent', 'forward_mistakes');
    expect(mislocated(cases)).toEqual([]);
    const { share, untrue } = naming(cases);
    expect(untrue).toEqual([]);
    if (dtype === 'float32') expect(share).toBe(1);
    const failures = cases.flatMap((one) => {
      const { row, report, refusal } = one;
      const remarks = report ? [...report.remarks, ...report.tensors.flatMap((tensor) => tensor.remarks)] : [];
      const said = refusal || JSON.stringify([report, remarks.map(remarkText)]);
      const silent = (row.says ?? []).filter((words) => !said.includes(words)).map((words) => named(one, `does not say ${words}`));
      const passes = typeof row.ok === 'boolean' && (report?.ok ?? false) !== row.ok ? [named(one, `ok is ${report?.ok}`)] : [];
      return [...silent, ...passes];
    });
    expect(failures).toEqual([]);
  });

  it('suggests the right name for a misspelt one, and lists a name that comes twice', () => {
    const failures = of('names').flatMap((one) => {
      const { row, report, refusal } = one;
      const found = report?.unknown.map(({ name, suggestion }) => [name, suggestion?.replace('embact', 'embcat')]);
      if (row.unknown && JSON.stringify(found) !== JSON.stringify(row.unknown)) return [named(one, found ?? refusal)];
      if (row.duplicate && !(report === null ? refusal.includes(row.duplicate.join()) : report.duplicate.join() === row.duplicate.join())) {
        return [named(one, report?.duplicate ?? refusal)];
      }
      return [];
    });
    expect(failures).toEqual([]);
  });

  it('says the same through the command', async () => {
    const cases = ['single', 'right'].map((kind) => of(kind)[0] as Judged);
    for (const one of cases) {
      const argv = [MAIN, 'grad-check', '--against', join(directory, one.row.file), '--json'];
      const { stdout, exitCode } = await start(process.execPath, argv, { cwd: directory }).ended;
      const { file, ...report } = JSON.parse(stdout);
      expect(file).toContain(one.row.file);
      const expected = one.report && reportJson(one.report);
      expect({ ...report, exitCode }).toEqual({ ...JSON.parse(JSON.stringify(expected)), exitCode: one.report?.ok ? 0 : 1 });
    }
  });
}
