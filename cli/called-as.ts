import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathForShell } from '../base/text/printable.ts';
import type { Io } from './io.ts';

/** Set by `bin/holdfast`: how it was called. */
const CALLED_AS = 'HOLDFAST_CALLED_AS';

/** What it is called where kubectl calls it. */
const PLUGIN = 'kubectl holdfast';

/** Whether kubectl calls it, so that it is about the cluster. */
export function isPlugin({ environment }: Pick<Io, 'environment'>): boolean {
  return environment[CALLED_AS] === PLUGIN;
}

/**
 * How a person calls this program, as a word of a command that works from where they are: `holdfast` where that is what
 * the PATH leads to, else the path by which it was called, such as `./bin/holdfast` in a clone.
 */
export function calledAs({ environment }: Pick<Io, 'environment'>): string {
  const path = environment[CALLED_AS];
  if (path === undefined || path === '') return 'holdfast';
  if (path === PLUGIN) return PLUGIN;
  const real = realPath(path);
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const found = folder === '' ? undefined : realPath(join(folder, 'holdfast'));
    if (found !== undefined) return found === real ? 'holdfast' : pathForShell(path);
  }
  return pathForShell(path);
}

/** The commands in a text that is ours, such as the examples of a help, as this person calls them. */
export function withCommandAsCalled(text: string, io: Pick<Io, 'environment'>): string {
  return text.replaceAll(/(^|[\s`"])holdfast (?=[a-z[-])/gm, (_, before: string) => `${before}${calledAs(io)} `);
}

/** A message with the commands that it names in backticks, as this person calls them. */
export function messageAsCalled(message: string, io: Pick<Io, 'environment'>): string {
  return message.replaceAll('`holdfast ', `\`${calledAs(io)} `);
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
