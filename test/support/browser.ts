import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATH = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Why there is no browser to test with; undefined where there is one. */
export function missingBrowser(): string | undefined {
  if (existsSync(PATH)) return undefined;
  const sentence = `skipped: there is no Chromium at ${PATH}; install it, or set CHROMIUM to its path`;
  if (process.env['HOLDFAST_REQUIRE_BROWSER'] === '1') throw new Error(sentence);
  return sentence;
}

export function openBrowser(): Promise<Browser> {
  // Root has no other rights to give up, and the pages are our own.
  return chromium.launch({ executablePath: PATH, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}
