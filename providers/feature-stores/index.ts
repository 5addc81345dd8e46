import { HoldfastError } from '../../base/errors.ts';
import type { FeatureStore, Tables } from './feature-store.ts';

/** The `featureStore` of a program, as its provider reads it. */
interface Settings {
  readonly type: string;
  readonly table: string;
}
type Provider = (warehouse: Tables, settings: Settings) => Promise<FeatureStore>;

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
export async function openFeatureStore(settings: Settings, warehouse: Tables): Promise<FeatureStore> {
  const load = Object.hasOwn(PROVIDERS, settings.type) ? PROVIDERS[settings.type] : undefined;
  if (load === undefined) {
    const known = Object.keys(PROVIDERS).join(', ');
    const sentence = `featureStore: no provider for ${settings.type} yet; this version has ${known}.`;
    throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', sentence);
  }
  return (await load())(warehouse, settings);
}
