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

/** Whether DuckDB, or the operating system, ran out of room on a disk. */
export function isDiskFull(error: unknown): boolean {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  return /No space left on device|Disk quota exceeded|max_temp_directory_size/.test(message ?? '');
}

/**
 * What DuckDB says of a failure, without what it may have read: the first line when that cannot hold a value,
 * else only the kind of error. Messages and logs never show rows.
 */
export function reasonWithoutValues(error: unknown): string {
  const message = (error as Error | null)?.message ?? '';
  const firstLine = message.split('\n', 1)[0] ?? '';
  const kind = /^([A-Z][A-Za-z ]*) Error: /.exec(firstLine)?.[1];
  if (kind !== undefined && WITHOUT_VALUES.has(kind)) return firstLine;
  const line = /^(?:Invalid Input|Conversion) Error: CSV Error on Line: (\d+)/.exec(firstLine)?.[1];
  if (line !== undefined) return `CSV Error on Line ${line}`;
  const footer = /^Invalid Input Error: (?:No magic bytes found|Footer length error|File .* too small).*/.exec(
    firstLine,
  )?.[0];
  if (footer !== undefined) return footer;
  return kind === undefined ? 'DuckDB failed' : `${kind} Error (its details may hold values and are left out)`;
}
