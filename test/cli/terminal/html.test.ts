import { describe, expect, it } from 'vitest';
import { htmlParagraph, htmlTable } from '../../../src/cli/terminal/html.js';

describe('HTML for notebooks', () => {
  it('escapes every text', () => {
    const html = `${htmlTable(['<a>'], [{ cells: ['"x" & <b>'], tone: 'bad' }])}${htmlParagraph("<script>'</script>", 'dim')}`;
    expect(html).not.toMatch(/<(a|b|script)>/);
    expect(html).toContain('&lt;a&gt;');
    expect(html).toContain('&quot;x&quot; &amp; &lt;b&gt;');
    expect(html).toContain('&lt;script&gt;&#39;&lt;/script&gt;');
  });

  it('has a row per row and no script, style block, background or black text', () => {
    const html = htmlTable(['name', 'verdict'], [{ cells: ['dC', 'right'], tone: 'good' }, { cells: ['dW1', 'wrong'] }]);
    expect(html.match(/<tr/g)).toHaveLength(3);
    expect(html).not.toMatch(/<script|<style|background|#000|black/);
  });
});
