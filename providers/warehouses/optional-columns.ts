import { nearest } from '../../base/text/spelling.ts';
import type { Connector } from './connector.ts';
import type { Warehouse } from './warehouse.ts';

/**
 * What a person should know of columns that the query of a connector does without, since its source lacks them; one line.
 * A table that is not there is left to the query, which names it.
 */
export async function absentColumns(
  warehouse: Warehouse,
  { connectorId, config: { optionalColumns = [] } }: Connector,
): Promise<string[]> {
  const known = new Map<string, readonly string[] | undefined>();
  const absent: string[] = [];
  for (const { table, column, without } of optionalColumns) {
    if (!known.has(table)) {
      const columns = await warehouse.describeTable(table);
      known.set(
        table,
        columns?.map(({ name }) => name),
      );
    }
    const there = known.get(table);
    if (there === undefined || there.some((name) => name.toLowerCase() === column.toLowerCase())) continue;
    // One that was renamed is there, and says what nobody reads any more.
    const meant = nearest(column, there);
    absent.push(`no column ${column}${meant === undefined ? '' : ` (did you mean ${meant}?)`}: ${without}`);
  }
  return absent.length === 0 ? [] : [`Connector ${connectorId}: its source has ${absent.join('; ')}.`];
}
