import { HoldfastError } from '../errors.ts';
import { lastingReason } from '../unread-file.ts';

/** Kinds of DuckDB errors whose first line names files, tables and columns, but never a value of a row. */
const WITHOUT_VALUES = new Set([
  'Binder',
  'Catalog',
  'Parser',
  'IO',
  'Permission',
  'Out of Memory',
  'Not implemented',
  'Dependency',
]);

/** Kinds of DuckDB errors that are of the moment rather than of the data or the query. */
const PASSING = new Set(['INTERNAL', 'FATAL', 'INTERRUPT', 'Connection', 'TransactionContext']);
/** Errors of Node.js itself: a part of the program that is missing, a wrong call. */
const OF_NODE = /^ERR_[A-Z0-9_]{1,60}$/;
/** Errors of whoever unpacks a file. */
const OF_PACKING = /^(?:Z_|ZSTD_)[A-Za-z0-9_]{1,60}$/;
/** Those that more bytes do not mend. */
const PACKED_OTHERWISE = /^(?:Z_DATA_ERROR|ZSTD_error_prefix_unknown)$/;

const TORN = /^Invalid Input Error: (?:No magic bytes found|Footer length error|File .* too small).*/;

/** Whether another moment may bring what failed now; what the query or the data say will be the same again. */
function mayPass(error: unknown): boolean {
  const { code, message = '' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (lastingReason(error) !== undefined || OF_NODE.test(code ?? '') || PACKED_OTHERWISE.test(code ?? '')) return false;
  const kind = kindOf(message);
  // A Parquet file without its end may be one that is still being written.
  if (TORN.test(message)) return true;
  if (kind === 'IO') return /lock on file|Input\/output error|Stale file handle|temporarily unavailable/.test(message);
  return kind === undefined || PASSING.has(kind);
}

function kindOf(message: string): string | undefined {
  return /^([A-Z][A-Za-z ]*) Error: /.exec(message)?.[1];
}

/** Whether DuckDB, or the operating system, ran out of room on a disk. */
function isDiskFull(error: unknown): boolean {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  return /No space left on device|Disk quota exceeded|max_temp_directory_size/.test(message ?? '');
}

/**
 * What DuckDB says of a failure, without what it may have read: the first line when that cannot hold a value,
 * else only the kind of error. Messages and logs never show rows.
 */
function reasonWithoutValues(error: unknown): string {
  const { code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  const unread = lastingReason(error);
  if (unread !== undefined) return `it ${unread}`;
  // The messages of these may quote what they were given.
  if (code !== undefined && OF_NODE.test(code)) {
    return /MODULE_NOT_FOUND|PACKAGE|_RESOLVE/.test(code)
      ? `a part of this program is missing (${code}): install it again`
      : `Node.js refused (${code})`;
  }
  if (code !== undefined && PACKED_OTHERWISE.test(code))
    return `it is not compressed as its name says, or damaged (${code})`;
  if (code !== undefined && OF_PACKING.test(code)) return `it was cut off, or is packed wrongly (${code})`;
  const message = (error as Error | null)?.message ?? '';
  const firstLine = message.split('\n', 1)[0] ?? '';
  const kind = kindOf(firstLine);
  // DuckDB takes a column that is gone for the query's own of that name.
  const gone = /^Binder Error: Column "(.+)" referenced that exists in the SELECT clause/.exec(firstLine)?.[1];
  if (gone !== undefined) return `Binder Error: there is no column "${gone}" to read`;
  if (kind !== undefined && WITHOUT_VALUES.has(kind)) return firstLine;
  const line = /^(?:Invalid Input|Conversion) Error: CSV Error on Line: (\d+)/.exec(firstLine)?.[1];
  if (line !== undefined) {
    return `CSV Error on Line ${line} (look for another number of columns than in the header, an open quote, or letters that are not UTF-8)`;
  }
  const footer = TORN.exec(firstLine)?.[0];
  if (footer !== undefined) return footer;
  // DuckDB names the column behind the value, in quotes.
  const column = /(?:['"] to \S+|expected format is \S+) when casting from source column (\w{1,63})$/.exec(
    firstLine,
  )?.[1];
  if (kind === 'Conversion' && column !== undefined) {
    return `Conversion Error in the column ${column}: a value there cannot be what the query makes of it`;
  }
  return kind === undefined ? 'DuckDB failed' : `${kind} Error (its details may hold values and are left out)`;
}

/** The memory that an engine may have does not depend on the moment, so that trying again would not help. */
function outOfMemory({ message, cause }: HoldfastError): HoldfastError {
  const remedy =
    'give it more memory (execution.memory on a cluster, a larger machine otherwise), or leave wide texts out of the query';
  return new HoldfastError('HF_OUT_OF_MEMORY', `${message.replace(/\.$/, '')}; ${remedy}.`, { cause });
}

/**
 * Runs work of DuckDB and turns its failure into one that may be shown: neither message nor cause quotes a row.
 * @param failed the error for a reason that holds no values, and whether trying again may help
 * @param diskFull the sentence where a disk has no room left
 * @throws HF_DISK_FULL, HF_OUT_OF_MEMORY, what `failed` makes, and whatever HoldfastError the work throws
 */
export async function withoutValues<Result>(
  work: () => Promise<Result>,
  failed: (reason: string, cause: Error, passing: boolean) => HoldfastError,
  diskFull: string,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const reason = reasonWithoutValues(error);
    // The driver's error itself may quote a row: the cause is only what may be shown.
    const cause = new Error(reason);
    if (isDiskFull(error)) throw new HoldfastError('HF_DISK_FULL', diskFull, { cause });
    const failure = failed(reason, cause, mayPass(error));
    throw kindOf(reason) === 'Out of Memory' ? outOfMemory(failure) : failure;
  }
}
