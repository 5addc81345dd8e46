import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser to test with; undefined where there is one. */
export function missingBrowser(): string | undefined {
  if (existsSync(PATH)) return undefined;
  const sentence = `skipped: there is no Chromium at ${PATH}; install it, or set CHROMIUM to its path`;
  if (process.env['HOLDFAST_REQUIRE_BROWSER'] === '1') throw new Error(sentence);
  return sentence;
}

/** What a browser minds of a page, and what the page says or asks, from now on; a list that grows. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => complaints.push(dialog.message()));
  return complaints;
}

export function openBrowser(): Promise<Browser> {
  // Root has no other rights to give up, and the pages are our own.
  return chromium.launch({ executablePath: PATH, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
