import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** Lines for a shell in a document. Before them a comment, which readers do not see, says which test runs them, or why none does. */
export interface ShellBlock {
  readonly file: string;
  /** Line of the document, from 1. */
  readonly line: number;
  /** What `<!-- run: NAME -->` calls it. */
  readonly name: string | undefined;
  /** What `<!-- not run: WHY -->` says. */
  readonly reason: string | undefined;
  /** As it is printed. */
  readonly script: string;
}

/** @param file from the root of the project */
export function shellBlocks(file: string): readonly ShellBlock[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const blocks = text.matchAll(
    /^ *(?:<!-- (?:run: ([\w-]+)|not run: ([^\n]+?)) -->\n)? *```(?:sh|bash|shell|console)\n([^]*?)^ *```$/gm,
  );
  return [...blocks].map(({ 1: name, 2: reason, 3: script = '', index }) => ({
    file,
    line: text.slice(0, index).split('\n').length,
    name,
    reason,
    script,
  }));
}

/** The lines of a document that bear a name, as they are printed. */
export function documented(file: string, name: string): string {
  const found = shellBlocks(file).filter((block) => block.name === name);
  if (found.length !== 1) throw new Error(`${file} has ${found.length} blocks of the name ${name}`);
  return found[0]?.script ?? '';
}
