/** The exercises of the page, as a person uses them. */
import type { Browser, Page } from 'playwright-core';
import { EXERCISES, type ExerciseNumber } from '../../src/dojo/exercises.js';
import { solutionOf } from '../../src/dojo/stub.js';
import { type OpenPage, openPage } from './browser.js';

/** The lesson's line as somebody types it, in one row. */
export function typedSolution(number: ExerciseNumber, name: string): string {
  const line = EXERCISES[number].lines.find((one) => one.name === name);
  if (!line) throw new Error(`no ${name}`);
  return solutionOf(line)
    .slice(`${name}: `.length)
    .replace(/\s*\n\s*/g, '');
}

/** Opens a line of an exercise, ready to type. */
export async function openLine(browser: Browser, number: ExerciseNumber, line = '', options = {}): Promise<OpenPage> {
  const opened = await openPage(browser, `view=exercises&exercise=${number}${line && `&line=${line}`}`, options);
  await opened.page.waitForSelector('.cm-content');
  return opened;
}

/** Replaces the line by what a person types, key by key. */
export async function typeLine(page: Page, text: string): Promise<void> {
  await page.click('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

/** Replaces the line by what a person pastes. */
export async function pasteLine(page: Page, text: string): Promise<void> {
  await page.click('.cm-content');
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

/** Waits until the check of the line says so. */
export async function waitForVerdict(page: Page, word: string): Promise<void> {
  await page.locator('.findings:not([data-busy]) .verdict', { hasText: word }).waitFor();
}
