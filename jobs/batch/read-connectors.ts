import { join } from 'node:path';
import { forField } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { parseSchedule } from '../../base/schedules/index.ts';
import { told, type Warning } from '../../contract/warning.ts';
import { CANDIDATE_COLUMNS } from '../../customers/columns/candidate.ts';
import type { SourceTypes } from '../../database/runs/runs.ts';
import { addFeatures } from '../../providers/feature-stores/add-features.ts';
import { openFeatureStore } from '../../providers/feature-stores/index.ts';
import type { Connector } from '../../providers/warehouses/connector.ts';
import { openWarehouse } from '../../providers/warehouses/index.ts';
import { describeQuery } from '../../providers/warehouses/missing-column.ts';
import { absentColumns } from '../../providers/warehouses/optional-columns.ts';
import type { ReadOptions, Warehouse } from '../../providers/warehouses/warehouse.ts';
import type { BatchContext } from './batch-stage.ts';
import { type NeededColumns, neededColumns, refuseReservedColumns, requireColumns } from './needed-columns.ts';
import { offersSince } from './offer-history.ts';
import { type EarlierTypes, readTypes, typeWarnings, withTypes } from './source-types.ts';

/** What the connectors of a program gave, as files in the scratch folder. */
export interface ConnectorFiles {
  /** One Parquet file for each connector, in their order, with the rows as they came. */
  readonly extracts: readonly { readonly connectorId: string; readonly file: string; readonly rows: number }[];
  /** Past offers, if the program names where they are. */
  readonly offers: string | undefined;
  /** What a person should know of the rows. */
  readonly warnings: readonly Warning[];
  readonly sources: SourceTypes;
}

/**
 * Reads the query of each connector, completed from the feature store, and the past offers.
 * @param earlier what the columns were
 * @throws HF_PROVIDER_UNAVAILABLE, HF_WAREHOUSE_UNREADABLE, HF_QUERY_REFUSED, HF_COLUMN_MISSING, HF_DISK_FULL,
 *   HF_INTERRUPTED, HF_MANIFEST_INVALID, HF_EXPRESSION_INVALID
 */
export async function readConnectors(
  context: BatchContext,
  earlier: EarlierTypes | undefined,
): Promise<ConnectorFiles> {
  const { spec: program, scratchFolder } = context;
  const needed = neededColumns(program);
  const extracts: ConnectorFiles['extracts'][number][] = [];
  const sources: Record<string, SourceTypes[string]> = {};
  const warnings: Warning[] = [];
  let offers: string | undefined;
  let done = 0;
  const read = async (connector: Connector) => {
    const { connectorId } = connector;
    const warehouse = await open(connector, context);
    try {
      const file = join(scratchFolder, `extract-${connectorId}.parquet`);
      const before = done;
      const progress = (rows: number) => context.progress(before + rows);
      const beyondType = (column: string, count: number) => {
        const sentence = `Connector ${connectorId}: ${column} is beyond what a timestamp here holds in ${count} ${count === 1 ? 'row' : 'rows'}, and missing there.`;
        warnings.push(...told('SOURCE_VALUE_BEYOND_TYPE', [sentence]));
      };
      warnings.push(...told('SOURCE_AS_OF_NOW', asOfNow(connector, context)));
      warnings.push(...told('SOURCE_COLUMN_ABSENT', await absentColumns(warehouse, connector)));
      const types = await readTypes(warehouse, connector.config.query);
      sources[connectorId] = types;
      const reading = readQuery(warehouse, connector, needed, file, { ...context, progress, beyondType });
      const rows = await reading.catch((error: unknown) => {
        throw withTypes(error, connectorId, types, earlier);
      });
      warnings.push(...told('SOURCE_TYPE_CHANGED', typeWarnings(connectorId, types, earlier)));
      extracts.push({ connectorId, file, rows });
      done += rows;
      context.progress(done);
      if (program.offerHistory?.connectorId === connectorId) {
        offers = join(scratchFolder, 'offers.parquet');
        await readOffers(warehouse, program.offerHistory.table, offers, context);
      }
    } finally {
      await warehouse.close();
    }
  };
  for (const [index, connector] of program.dataConnectors.entries()) {
    await forField(['spec', 'dataConnectors', index], () => read(connector));
  }
  return { extracts, offers, warnings, sources };
}

/** Of a slot that is no longer the newest: what only knows of now, as all but samples and exports of the slot's own day do. */
function asOfNow({ connectorId, config }: Connector, { identity, spec, connectors, now }: BatchContext): string[] {
  const isSample = 'sample' in config && config.sample !== undefined;
  if (isSample || connectors.ofSlot?.includes(connectorId) === true) return [];
  const { slot } = identity;
  const newest = parseSchedule(spec.batchSchedule, spec.timeZone).newest(now());
  if (newest === undefined || slot >= newest) return [];
  return [
    `Connector ${connectorId}: its rows are as of now, and the slot of this run is ${rfc3339(slot)}, before the newest, ${rfc3339(newest)}.`,
  ];
}

function open(connector: Connector, context: BatchContext): Promise<Warehouse> {
  const { baseFolder, confined, connectors, scratchFolder, resources, signal, progress } = context;
  const asOf = context.identity.slot;
  const options = {
    baseFolder,
    confined,
    source: connectors.sources[connector.connectorId],
    sampleFolder: connectors.sampleFolder ?? join(scratchFolder, 'sample'),
    sampleCustomers: connectors.sampleCustomers,
    asOf,
    scratchFolder,
    resources,
    signal,
    progress,
  };
  return openWarehouse(connector, options, context.providers?.warehouses);
}

async function readQuery(
  warehouse: Warehouse,
  { connectorId, config: { query } }: Connector,
  needed: NeededColumns,
  file: string,
  {
    spec: program,
    providers,
    scratchFolder,
    resources,
    signal,
    progress,
    beyondType,
  }: BatchContext & Pick<ReadOptions, 'beyondType'>,
): Promise<number> {
  const given = (await describeQuery(warehouse, connectorId, query)).map(({ name }) => name);
  refuseReservedColumns(given, connectorId);
  const settings = program.featureStore?.connectorId === connectorId ? program.featureStore : undefined;
  const store =
    settings === undefined ? undefined : await openFeatureStore(settings, warehouse, providers?.featureStores);
  // Whatever the store knows of the candidate is useful downstream, even where no filter or model asks for it.
  const wanted = [...needed.keys(), ...CANDIDATE_COLUMNS.map(({ name }) => name)];
  const present = new Set(given.map((name) => name.toLowerCase()));
  // The customers themselves are the query's alone.
  const offered = (store?.columns ?? []).filter((name) => name.toLowerCase() !== 'customer_id');
  requireColumns(needed, [...given, ...offered], connectorId);
  const isWanted = new Set(wanted.map((name) => name.toLowerCase()).filter((name) => !present.has(name)));
  const columns = offered.filter((name) => isWanted.has(name.toLowerCase()));
  const options = { signal, progress, ...(beyondType === undefined ? {} : { beyondType }) };
  if (store === undefined || columns.length === 0) return warehouse.extract({ query }, file, options);
  if (store.table !== undefined) {
    return warehouse.extract({ query, completion: { table: store.table, columns } }, file, options);
  }
  const rows = await warehouse.extract({ query }, file, options);
  await addFeatures(file, store, columns, { scratchFolder, resources, signal });
  return rows;
}

async function readOffers(warehouse: Warehouse, table: string, file: string, context: BatchContext): Promise<void> {
  const before = context.identity.slot;
  await warehouse.extractOffers(table, { since: offersSince(before), before }, file, { signal: context.signal });
}
