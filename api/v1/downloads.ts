import type { Static, TObject } from 'typebox';
import { ARM_COLUMNS, LIST_COLUMNS } from '../../customers/contact-list/list-columns.ts';
import { csvList, jsonLines, type ListText, listPieces } from '../../customers/contact-list/list-text.ts';
import { wholeList } from '../../database/candidates/whole-list.ts';
import { currentRun } from '../../database/runs/runs.ts';
import { type QueryReader, queryReader, requirePath } from '../http/parameters.ts';
import { notFound, type PathValues, type Source } from '../http/route.ts';
import { requireProgram } from './candidates.ts';
import { downloadQuery } from './schemas.ts';

/** A file that a browser or a program takes away: sent piece by piece, however long it is. */
export interface FileOfPieces {
  readonly type: string;
  readonly name: string;
  readonly pieces: AsyncIterable<string>;
}

/** A list that is downloaded whole. */
export interface Download {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query: TObject;
  readonly type: string;
  readonly open: (source: Source, path: PathValues, query: string) => Promise<FileOfPieces>;
}

export type DownloadFormat = 'csv' | 'jsonl';

const TYPES: Readonly<Record<DownloadFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
};

interface Wanted extends Static<typeof downloadQuery> {
  readonly format: DownloadFormat;
  /** Whether a CSV is for Excel. */
  readonly excel?: boolean;
}

/** The current batch of a program as a file. @throws HF_NOT_FOUND when nothing is published */
export async function candidatesFile(
  { database, now }: Source,
  { namespace = '', program = '' }: PathValues,
  { format, excel = false, arm, ...filter }: Wanted,
): Promise<FileOfPieces> {
  const key = { namespace, owner: program };
  const batch = await currentRun(database, key);
  if (batch === undefined) {
    await requireProgram({ database, now }, key);
    throw notFound('no batch of the program has been published');
  }
  const columns = arm === undefined ? LIST_COLUMNS : [...LIST_COLUMNS, ...ARM_COLUMNS];
  const list: ListText = format === 'csv' ? csvList(columns, { excel }) : jsonLines(columns);
  const pages = wholeList(database, { ...filter, batch, audience: arm, now: now() });
  return { type: TYPES[format], name: `${batch.run}.${format}`, pieces: listPieces(list, pages) };
}

function download(format: DownloadFormat, operationId: string, what: string): Download {
  let read: QueryReader<typeof downloadQuery> | undefined;
  return {
    path: `/v1/namespaces/{namespace}/programs/{program}/candidates.${format}`,
    operationId,
    summary: `Whom to contact of the current batch, whole, as ${what}: the columns of docs/list-columns.md.`,
    query: downloadQuery,
    type: TYPES[format].split(';')[0] ?? '',
    open(source, path, query) {
      requirePath(path);
      read ??= queryReader(downloadQuery);
      return candidatesFile(source, path, { ...read(query), format });
    },
  };
}

/** Every list that can be downloaded. */
export const DOWNLOADS: readonly Download[] = [
  download('csv', 'downloadCandidatesCsv', 'CSV that is harmless in spreadsheets'),
  download('jsonl', 'downloadCandidatesJsonLines', 'JSON lines'),
];
