import { open } from 'node:fs/promises';
import { lastingReason, whyNoFile } from '../../base/unread-file.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';

/** Columns that a file of text may have: each is read several times to find out what it holds. */
const MOST_TEXT_COLUMNS = 2000;
const HEADER_BYTES = 4 * 2 ** 20;

/**
 * Refuses what no query should be let near: folders, pipes, what may not be read, files without a byte, and text of
 * thousands of columns.
 * @param shownPath the path as a person gave it
 * @throws HF_SOURCE_UNSUITABLE
 */
export async function refuseOddFile(path: string, shownPath: string): Promise<void> {
  const trouble = await whyNoFile(path);
  if (trouble !== undefined) throw unsuitable(`${shownPath} ${trouble}.`);
  const { size, line } = await beginning(path).catch((error: unknown) => {
    const reason = lastingReason(error);
    throw reason === undefined ? error : unsuitable(`${shownPath} ${reason}.`);
  });
  if (size === 0) throw unsuitable(`${shownPath} is empty.`);
  if (!/\.[ct]sv$/i.test(path)) return;
  const columns = mostDelimited(line) + 1;
  if (columns <= MOST_TEXT_COLUMNS) return;
  throw unsuitable(
    `${shownPath} has about ${columns} columns; as text at most ${MOST_TEXT_COLUMNS} can be looked at. ` +
      'Write it as Parquet, or keep the columns that say something.',
  );
}

/** Bytes of a file, and its first line. */
async function beginning(path: string): Promise<{ readonly size: number; readonly line: string }> {
  await using file = await open(path);
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, HEADER_BYTES)), 0, null, 0);
  return { size, line: buffer.toString('latin1', 0, bytesRead).split('\n', 1)[0] ?? '' };
}

function mostDelimited(line: string): number {
  return Math.max(...[',', ';', '\t', '|'].map((delimiter) => line.split(delimiter).length - 1));
}
