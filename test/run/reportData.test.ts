import { describe, expect, it } from 'vitest';
import { FileContentError } from '../../src/core/errors.js';
import { html } from '../../src/core/html.js';
import { fillReport, isReport, type ReportRun, readReportData, reportNetwork } from '../../src/run/reportData.js';
import { reportOf, reportRun } from '../support/reports.js';
import { thrownBy } from '../support/thrown.js';

const EMPTY = `<!doctype html>
<title>Report</title>
<div id="summary"></div>
<div id="details"></div>
<script type="application/json" id="report-data">null</script>
`;
const TEXT = { title: 'A <run>', summary: html`<h1>$& of $1</h1>`, details: html`<p>$$</p>` };

/** The text of the element report-data, as a browser reads it: up to the first end tag. */
function elementText(html: string): string {
  return (/<script type="application\/json" id="report-data">(.*?)<\/script/s.exec(html) as RegExpExecArray)[1];
}

describe('the data of a report', () => {
  it('is read as it was written', () => {
    const data = reportOf(reportRun(), reportRun({ name: '0008', parameters: null, statistics: null }));
    expect(readReportData(elementText(fillReport(EMPTY, data, TEXT)))).toEqual(data);
  });

  it('lies beside the title and the main result, which no pattern of a replacement changes', () => {
    const file = fillReport(EMPTY, reportOf(reportRun()), TEXT);
    expect(file).toContain('<title>A &lt;run&gt;</title>');
    expect(file).toContain('<div id="summary"><h1>$& of $1</h1></div>');
    expect(file).toContain('<div id="details"><p>$$</p></div>');
  });

  it('cannot end its script, whatever a sample holds', () => {
    const run = reportRun({ name: '</script><script>alert(1)</script><!-- $& $1' });
    const file = fillReport(EMPTY, reportOf(run), TEXT);
    expect(file.match(/<\/script/g)).toHaveLength(1);
    expect(readReportData(elementText(file))?.runs[0].name).toBe(run.name);
  });

  it('is not there in an empty report, which is a report all the same', () => {
    expect(readReportData(elementText(EMPTY))).toBeUndefined();
    expect(isReport(EMPTY)).toBe(true);
    expect(isReport('<!doctype html>')).toBe(false);
  });

  it.each<[string, string, RegExp]>([
    ['no JSON', '{', /the data of this report is damaged/],
    ['an unknown key', JSON.stringify({ ...reportOf(reportRun()), more: 1 }), /more/],
    ['a number that is a text', JSON.stringify(reportOf({ ...reportRun(), step: '20' } as unknown as ReportRun)), /step/],
  ])('with %s is damaged, and the error says where', (_, json, message) => {
    expect(thrownBy(FileContentError, () => readReportData(json))).toMatch(message);
  });

  it('needs a place in the file', () => {
    const fill = () => fillReport('<!doctype html>', reportOf(reportRun()), TEXT);
    expect(thrownBy(FileContentError, fill)).toContain('npm run build');
  });
});

describe('the network in a report', () => {
  it('has its parameters and statistics, with their shapes', () => {
    const network = reportNetwork(reportRun());
    expect(Object.keys(network?.tensors ?? {})).toEqual(['C', 'W1', 'b1', 'bngain', 'bnbias', 'W2', 'b2', 'bnmean', 'bnvar']);
    expect(network?.tensors.W1.shape).toEqual([4, 3]);
  });

  it('is undefined where the report does not hold it', () => {
    expect(reportNetwork(reportRun({ parameters: null }))).toBeUndefined();
    expect(reportNetwork(reportRun({ statistics: null }))).toBeUndefined();
  });

  it.each<[string, string]>([
    ['AAAA', 'b2 has 3 bytes'],
    ['*', 'b2 is not base64'],
  ])('with b2 %s is damaged', (b2, message) => {
    const run = reportRun();
    expect(() => reportNetwork({ ...run, parameters: { ...run.parameters, b2 } })).toThrow(message);
  });
});
