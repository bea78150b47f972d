import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../src/core/base64.js';
import { FileContentError } from '../../src/core/errors.js';
import { createDataset } from '../../src/data/dataset.js';
import { createNamesCase } from '../../src/lesson/namesCase.js';
import { LESSON_PARAMETER_NAMES } from '../../src/network/parameters.js';
import { loadCheckpoint } from '../../src/node/checkpointFile.js';
import { fillPage, isPage, type RunData, readRunData, runData } from '../../src/run/pageData.js';
import { SAVED_STEP, saveSmallRun } from '../support/checkpoints.js';
import { NAMES } from '../support/fakeIO.js';
import { RUN_CONFIG } from '../support/runConfig.js';
import { tempDirectory } from '../support/tempDirectory.js';
import { thrownBy } from '../support/thrown.js';

const PAGE = '<!doctype html>\n<script type="application/json" id="run-data">null</script>\n<script>app()</script>\n';

/** A run of the names, its data for the page, and its parameters. */
function smallRun(names: readonly string[] | null = NAMES) {
  const { path, model } = saveSmallRun(tempDirectory());
  return { model, data: runData('0007', loadCheckpoint(path), names) };
}

/** The text of the element run-data, as a browser reads it: up to the first end tag. */
function elementText(html: string): string {
  return (/<script type="application\/json" id="run-data">(.*?)<\/script/s.exec(html) as RegExpExecArray)[1];
}

describe('a run in the page', () => {
  it('is read as it was written: sizes, seeds, names, and every parameter bit for bit', () => {
    const { model, data } = smallRun();
    const run = readRunData(elementText(fillPage(PAGE, data)));
    expect(run).toMatchObject({
      name: '0007',
      seed: RUN_CONFIG.seed,
      step: SAVED_STEP,
      splitSeed: RUN_CONFIG.splitSeed,
      unique: RUN_CONFIG.unique,
      names: NAMES,
      config: model.config,
      vocabulary: createDataset(NAMES, RUN_CONFIG).vocabulary,
    });
    for (const name of LESSON_PARAMETER_NAMES) expect(run?.parameters[name].data, name).toEqual(model.parameters[name]);
  });

  it('has all that the pass on a batch of the run takes', () => {
    const { data } = smallRun();
    const run = readRunData(JSON.stringify(data));
    if (!run) throw new Error('no run');
    const { values } = createNamesCase(createDataset(run.names ?? [], run), { seed: run.seed, batch: 0, n: 4, trained: run });
    expect(values.loss.data[0]).toBeGreaterThan(0);
  });

  it('holds no path, no host and no user: the keys are these', () => {
    expect(Object.keys(smallRun().data).sort()).toEqual(
      ['context', 'embedding', 'hidden', 'name', 'names', 'parameters', 'seed', 'splitSeed', 'step', 'unique', 'vocabulary'].sort(),
    );
  });

  it('cannot end its script, whatever a name holds, and is not changed by patterns of replacement', () => {
    const { data } = smallRun();
    const odd = '</script><!--<script>$&$1';
    const html = fillPage(PAGE, { ...data, name: odd });
    expect(html.slice(0, html.indexOf('app()'))).not.toContain('<!--');
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(readRunData(elementText(html))?.name).toBe(odd);
  });

  it('is none in an empty page', () => {
    expect(readRunData(elementText(PAGE))).toBeUndefined();
  });

  it('needs its place in the page, once', () => {
    const { data } = smallRun();
    for (const html of ['', PAGE + PAGE, fillPage(PAGE, data)]) {
      expect(thrownBy(FileContentError, () => fillPage(html, data))).toBe(
        'it has no place for the data of a run; build it again: npm run build',
      );
    }
  });

  it('is recognised, empty or filled', () => {
    expect([PAGE, fillPage(PAGE, smallRun().data), '<!doctype html><p>null</p>', ''].map(isPage)).toEqual([true, true, false, false]);
  });
});

describe('a damaged run in the page is refused:', () => {
  const message = (json: string) => thrownBy(FileContentError, () => readRunData(json));
  const damaged = (change: (data: RunData) => object) => message(JSON.stringify(change(smallRun().data)));

  it.each<[what: string, change: (data: RunData) => object, says: string]>([
    ['a missing key', ({ seed: _, ...data }) => data, 'seed'],
    ['a key too many', (data) => ({ ...data, path: '/home' }), 'path'],
    ['a network of two blocks', (data) => ({ ...data, hidden: [4, 4] }), 'hidden'],
    ['another size', (data) => ({ ...data, embedding: data.embedding + 1 }), 'C has 120 bytes, expected 180'],
    ['a size of 0', (data) => ({ ...data, context: 0 }), 'context'],
    ['a parameter cut short', (data) => ({ ...data, parameters: { ...data.parameters, W1: data.parameters.W1.slice(8) } }), 'W1 has'],
    ['no base64', (data) => ({ ...data, parameters: { ...data.parameters, b2: '*' } }), 'b2 is not base64'],
    [
      'NaN',
      (data) => ({ ...data, parameters: { ...data.parameters, b2: toBase64(new Uint8Array(4 * data.vocabulary.length).fill(255)) } }),
      'b2 holds NaN or Inf',
    ],
    ['names of another alphabet', (data) => ({ ...data, names: ['Ж'] }), 'the characters of names'],
    ['a vocabulary with a character twice', (data) => ({ ...data, vocabulary: [...data.vocabulary, 'a'] }), 'vocabulary'],
  ])('%s', (_, change, says) => {
    expect(damaged(change)).toContain('the run in this page is damaged: ');
    expect(damaged(change)).toContain(says);
  });

  it.each(['', '{', '[]', '1', '"x"'])('%j', (json) => {
    expect(message(json)).toMatch(/^the run in this page is damaged: .+; write the page again: backprop-ninja open --run RUN$/);
  });
});
