import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { definitionFile, definitionText } from './definition.ts';
import { kinds } from './kinds.ts';

/**
 * Writes the CustomResourceDefinitions into a folder; with `check`, only compares.
 * @returns names of the files that differ from what is (or was) there
 */
export async function generate(folder: string, { check }: { check: boolean }): Promise<string[]> {
  const stale: string[] = [];
  for (const kind of kinds()) {
    const file = path.join(folder, definitionFile(kind));
    const wanted = definitionText(kind);
    const found = await readFile(file, 'utf8').catch(() => '');
    if (found === wanted) continue;
    stale.push(definitionFile(kind));
    if (!check) await writeFile(file, wanted);
  }
  return stale;
}

if (import.meta.main) {
  const check = process.argv.includes('--check');
  // The chart carries its own: helm packages nothing from outside it.
  for (const folder of ['crds', 'charts/holdfast/files/crds']) {
    const stale = await generate(path.join(import.meta.dirname, '..', folder), { check });
    for (const file of stale) {
      console.log(check ? `${folder}/${file} is out of date: npm run generate` : `wrote ${folder}/${file}`);
    }
    if (check && stale.length > 0) process.exitCode = 1;
  }
}
