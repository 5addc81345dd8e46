import { columnsOf } from './columns.ts';
import { OFFER_HISTORY_COLUMNS } from './filter.ts';
import { type FilteredProgram, predicateOf } from './resolve.ts';

/**
 * Columns that the filters of a program need from its query or feature store, each with the filterIds that need it.
 * @throws HF_MANIFEST_INVALID, HF_EXPRESSION_INVALID
 */
export function requiredFilterColumns(program: FilteredProgram): Map<string, string[]> {
  const derived = new Set<string>(Object.values(OFFER_HISTORY_COLUMNS));
  const required = new Map<string, string[]>();
  for (const filter of program.filterChain) {
    for (const column of columnsOf(predicateOf(filter, program))) {
      if (derived.has(column)) continue;
      required.set(column, [...(required.get(column) ?? []), filter.filterId]);
    }
  }
  return required;
}
