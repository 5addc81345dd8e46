import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = join(import.meta.dirname, '..');

/** What looks like a file or a folder, between backticks; commands have no ending. */
const NAMED = /`([^`\s*:]+(?:\.(?:ts|md|ya?ml|mjs|js)|\/)|bin\/[^`\s]+|Dockerfile)`/g;

test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md'])('every file that %s names is there', (document) => {
  const missing: string[] = [];
  for (const line of readFileSync(join(ROOT, document), 'utf8').split('\n')) {
    // A bare name is in the folder of the one before it, in the same line.
    let folder = '';
    for (const [, name = ''] of line.matchAll(NAMED)) {
      const found = [name, folder + name].find((path) => existsSync(join(ROOT, path)));
      if (found === undefined) missing.push(name);
      else folder = found.slice(0, found.lastIndexOf('/') + 1);
    }
  }
  expect(missing).toEqual([]);
});
