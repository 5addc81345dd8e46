import { extname } from 'node:path';

export type FileFormat = 'database' | 'parquet' | 'csv' | 'json' | 'workbook';

const FORMATS: Readonly<Record<string, FileFormat>> = {
  '.duckdb': 'database',
  '.ddb': 'database',
  '.db': 'database',
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.tsv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
  '.ndjson': 'json',
  '.xlsx': 'workbook',
  '.xlsm': 'workbook',
  '.xls': 'workbook',
};

/** Endings that say what a file is. */
export const KNOWN_ENDINGS = Object.keys(FORMATS).filter((ending) => ending !== '.xls');

/** What a file is, by the ending of its name; undefined where that says nothing. */
export function fileFormat(path: string): FileFormat | undefined {
  return FORMATS[extname(path.replace(/\.(gz|zst)$/i, '')).toLowerCase()];
}

/** Whether the columns of a file can be read as the texts that are written there. */
export function isOfTexts(path: string): boolean {
  const format = fileFormat(path);
  return format === 'csv' || format === 'json' || format === 'workbook';
}

/** A path for DuckDB, in which some characters stand for others. */
export function asPattern(path: string): string {
  return path.replaceAll(/[[*?]/g, (character) => `[${character}]`);
}
