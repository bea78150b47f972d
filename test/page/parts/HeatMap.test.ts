import { describe, expect, it } from 'vitest';
import { canvasColours, openPage, settled, useBrowser } from '../../support/browser.js';

const browser = useBrowser();

describe('a heat map of NaN and infinity, such as that of a line which divides by 0,', () => {
  it.each([
    ['light', 0xc800a0],
    ['dark', 0xff5adc],
  ] as const)('shows them in a colour of their own with a mark and a word, in %s', async (colorScheme, notFinite) => {
    const { page, complaints } = await openPage(browser(), 'view=exercises&exercise=1&line=dprobs', { colorScheme });
    await page.waitForSelector('.cm-content');
    await page.click('.cm-content');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('({ dlogprobs }) => dlogprobs.div(dlogprobs)');
    const yours = page.locator('.tensor-figure').first();
    await yours.waitFor();
    await settled(page);
    const colours = await canvasColours(page, '.tensor-figure canvas.picture');
    // All but the 32 targets are 0/0.
    expect(colours.filter((colour) => colour === notFinite)).toHaveLength(32 * 26);
    expect(await yours.locator('.marks-words').textContent()).toBe(' NaN');
    const marked = await canvasColours(page, '.tensor-figure .heat-map .heat-map-marks');
    expect(new Set(marked).size).toBeGreaterThan(1);
    expect(await yours.locator('.heat-map').getAttribute('aria-label')).toContain('832 NaN or infinite');
    await yours.locator('.heat-map').focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.textContent('.beside-entry')).toContain('yours NaN');
    expect(complaints).toEqual([]);
  });

  it('keeps the size of its entries: whole pixels, with their number in the picture', async () => {
    const { page } = await openPage(browser(), 'step=dh');
    const box = await page.locator('.equation [data-tensor="dh"]').first().boundingBox();
    expect((box?.width ?? 0) % 64).toBe(0);
    expect((box?.height ?? 0) % 32).toBe(0);
  });
});
