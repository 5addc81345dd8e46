import { glob, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { WarehouseOptions } from '../connector.ts';
import { fileFormat } from './file-format.ts';
import type { DuckdbConnector } from './parameters.ts';
import { sizeOfWorkbook } from './workbook-archive.ts';

const MIB = 2 ** 20;
/** Less is read in some seconds. */
const NOTEWORTHY = 30 * MIB;
/** Measured: a sheet of 1,000,000 rows of two columns, 82 MB unpacked, took 31 s and 1.67 GB. */
const SECONDS_PER_BYTE = 31 / 82e6;
const MEMORY_PER_BYTE = 1670 / 82;

/** What it takes to read the workbooks of a connector, where that is much. */
export async function costOf(
  { connectorId, config }: DuckdbConnector,
  { source, baseFolder }: Pick<WarehouseOptions, 'source' | 'baseFolder'>,
): Promise<string | undefined> {
  const path = source ?? config.path;
  if (path === undefined || fileFormat(path) !== 'workbook') return undefined;
  const sizes = await Promise.all((await filesOf(resolve(baseFolder, path))).map(sizeOfWorkbook));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total > NOTEWORTHY ? `connector ${connectorId}: ${costOfReading(total, Math.max(...sizes))}` : undefined;
}

/** What it takes to read a workbook of a path, where that is much. */
export async function costOfWorkbook(path: string): Promise<string | undefined> {
  const size = fileFormat(path) === 'workbook' ? await sizeOfWorkbook(path) : 0;
  return size > NOTEWORTHY ? costOfReading(size, size) : undefined;
}

/** One workbook after the other is read, each whole. */
function costOfReading(total: number, largest: number): string {
  const seconds = Math.round(total * SECONDS_PER_BYTE);
  const memory = (largest * MEMORY_PER_BYTE) / 1e9;
  return (
    `what is in Excel workbooks unpacks to ${Math.round(total / MIB)} MiB: reading it takes about ${seconds} s and ` +
    `${memory.toFixed(1)} GB of memory; saved as CSV in UTF-8 it is read faster, and in little memory`
  );
}

async function filesOf(path: string): Promise<string[]> {
  if (await stat(path).catch(() => undefined)) return [path];
  const files: string[] = [];
  for await (const file of glob(path)) files.push(file);
  return files;
}
