import { HoldfastError } from '../../base/errors.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Warehouse } from '../warehouses/warehouse.ts';
import type { FeatureStore } from './feature-store.ts';

type Settings = NonNullable<RetentionProgramSpec['featureStore']>;
type Provider = (warehouse: Warehouse, settings: Settings) => Promise<FeatureStore>;

/** Every provider by its type, loaded when a program names it. Adding one is a file here and a line below. */
const PROVIDERS: Readonly<Record<string, () => Promise<Provider>>> = {
  warehouse: async () => {
    const { openWarehouseFeatures } = await import('./warehouse.ts');
    return (warehouse, { table }) => openWarehouseFeatures(warehouse, table);
  },
};

/**
 * Opens the feature store of a program for the connector whose warehouse is given.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_COLUMN_MISSING, HF_WAREHOUSE_UNREADABLE
 */
export async function openFeatureStore(settings: Settings, warehouse: Warehouse): Promise<FeatureStore> {
  const load = Object.hasOwn(PROVIDERS, settings.type) ? PROVIDERS[settings.type] : undefined;
  if (load === undefined) {
    const known = Object.keys(PROVIDERS).join(', ');
    const sentence = `featureStore: no provider for ${settings.type} yet; this version has ${known}.`;
    throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', sentence);
  }
  return (await load())(warehouse, settings);
}
