import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** A valid manifest to start from. */
export interface Seedling {
  readonly name: string;
  readonly text: string;
}

/** Every valid manifest there is: the examples and those of the tests. */
export function corpus(): Seedling[] {
  return ['examples', 'test/manifests/good'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map((file) => ({ name: `${folder}/${file}`, text: readFileSync(path.join(ROOT, folder, file), 'utf8') })),
  );
}
