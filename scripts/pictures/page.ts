/**
 * docs/pictures/page.png: the page at dh, with an entry, in Chromium (CHROMIUM names another one).
 *
 *     npm run build && npm run pictures
 */
import { launchChromium, openPage } from '../../test/support/browser.js';
import { inProject } from '../../test/support/inProject.js';

const browser = await launchChromium();
try {
  const { page } = await openPage(browser, 'n=12&step=dh&entry=3,17', { viewport: { width: 1280, height: 620 } });
  await page.waitForSelector('.terms');
  await page.screenshot({ path: inProject('docs/pictures/page.png') });
} finally {
  await browser.close();
}
