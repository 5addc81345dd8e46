import { open, stat } from 'node:fs/promises';
import { unsuitable } from './unsuitable.ts';

/** Columns that a file of text may have: each is read several times to find out what it holds. */
const MOST_TEXT_COLUMNS = 2000;
const HEADER_BYTES = 4 * 2 ** 20;

/**
 * Refuses what no query should be let near: folders, pipes, files without a byte, and text of thousands of columns.
 * @param shownPath the path as a person gave it
 * @throws HF_SOURCE_UNSUITABLE
 */
export async function refuseOddFile(path: string, shownPath: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw unsuitable(`${shownPath} does not exist.`);
  if (found.isDirectory()) throw unsuitable(`${shownPath} is a folder: give one file.`);
  // Opening a pipe or a device could wait for ever.
  if (!found.isFile()) throw unsuitable(`${shownPath} is not a file: give one file.`);
  if (found.size === 0) throw unsuitable(`${shownPath} is empty.`);
  if (!/\.[ct]sv$/i.test(path)) return;
  const columns = mostDelimited(await firstLine(path)) + 1;
  if (columns <= MOST_TEXT_COLUMNS) return;
  throw unsuitable(
    `${shownPath} has about ${columns} columns; as text at most ${MOST_TEXT_COLUMNS} can be looked at. ` +
      'Write it as Parquet, or keep the columns that say something.',
  );
}

async function firstLine(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  return buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '';
}

function mostDelimited(line: string): number {
  return Math.max(...[',', ';', '\t', '|'].map((delimiter) => line.split(delimiter).length - 1));
}
