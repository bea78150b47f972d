import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runCli } from '../support/fakeIO.js';
import { runPython } from '../support/python.js';
import { makeDirectory, removeDirectory } from '../support/tempDirectory.js';
import { isTrue } from './bank/expectations.js';

interface Row {
  name: string;
  verdict: string;
  findings: { id: string }[];
  problem: string | null;
  named: boolean;
}

interface Group {
  file: string;
  exercise: number;
  planted: Record<string, { title: string; words: string[]; seen: boolean }>;
  rows: Row[];
}

let directory: string;
let groups: Group[];

beforeAll(async () => {
  directory = makeDirectory();
  mkdirSync(join(directory, 'bank'));
  const cases = Object.fromEntries([1, 2, 3].map((exercise) => [exercise, join(directory, `cases${exercise}`)]));
  for (const [exercise, path] of Object.entries(cases)) await runCli(directory, ['exercise', 'cases', exercise, '--out', path]);
  const bank = JSON.stringify(join(import.meta.dirname, 'bank'));
  const script = `import sys\nsys.path.insert(0, ${bank})\nimport functions\nfunctions.main(${JSON.stringify(join(directory, 'bank'))}, ${JSON.stringify(cases)})`;
  const { stderr, exitCode } = await runPython(directory, script);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  groups = JSON.parse(readFileSync(join(directory, 'bank/functions.json'), 'utf8'));
  for (const group of groups) {
    const { stdout } = await runCli(directory, ['exercise', 'judge', `bank/${group.file}`, '--json']);
    group.rows = JSON.parse(stdout).exercises[0].lines;
  }
  return () => removeDirectory(directory);
});

/** What is planted, beside the row of the report. */
const planted = () =>
  groups.flatMap(({ planted: mistakes, rows }) =>
    Object.entries(mistakes).map(([line, mistake]) => ({
      ...mistake,
      row: rows.find(({ name }) => name === line.replace('embcat', 'embact')),
    })),
  );

it('finds every mistake of the bank when the lines run alone, the invisible ones too', () => {
  expect(planted().length).toBeGreaterThan(230);
  expect(planted().filter(({ seen }) => !seen).length).toBeGreaterThan(10);
  expect(
    planted()
      .filter(({ row }) => row?.verdict === 'right')
      .map(({ title }) => title),
  ).toEqual([]);
});

it('names at least 85 % of them, and none wrongly', () => {
  const named = planted().filter(({ row }) => row?.named);
  const untrue = named.filter(({ row, words }) => !isTrue({ ...row?.findings, id: '', text: row?.problem }, words));
  expect(untrue.map(({ title, row }) => `${title}: ${row?.problem}`)).toEqual([]);
  expect(named.length / planted().length).toBeGreaterThanOrEqual(0.85);
  expect(
    planted()
      .filter(({ seen, row }) => !seen && !row?.named)
      .map(({ title }) => title),
  ).toEqual([]);
});

it("finds the lecture's lines right", () => {
  const right = groups.filter(({ planted: mistakes }) => Object.keys(mistakes).length === 0);
  expect(right.map(({ rows }) => rows.length)).toEqual([26, 1, 1]);
  const rows = right.flatMap(({ rows }) => rows);
  expect(rows.filter(({ verdict }) => verdict !== 'right').map(({ name, problem }) => `${name}: ${problem}`)).toEqual([]);
});
