import { HoldfastError } from '../../base/errors.ts';
import type { AllValues } from '../parameters.ts';
import type {
  ConnectorWarehouse,
  FeatureStore,
  FeatureStoreDefinition,
  FeatureStoreSettings,
} from './feature-store.ts';
import { warehouseParameters } from './warehouse/parameters.ts';

/** Every kind of feature store. Adding one is a folder here and a line below. */
export const FEATURE_STORES = [
  { type: 'warehouse', parameters: warehouseParameters, load: () => import('./warehouse/warehouse.ts') },
] as const satisfies readonly FeatureStoreDefinition[];

export type FeatureStores = readonly FeatureStoreDefinition[];

/** What the providers read of the feature store of a program, whatever its type. */
export type FeatureStoreValues = AllValues<typeof FEATURE_STORES>;

/**
 * Opens the feature store of a program for the connector whose warehouse is given.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_COLUMN_MISSING, HF_WAREHOUSE_UNREADABLE
 */
export async function openFeatureStore(
  settings: FeatureStoreSettings,
  warehouse: ConnectorWarehouse,
  stores: FeatureStores = FEATURE_STORES,
): Promise<FeatureStore> {
  const found = stores.find(({ type }) => type === settings.type);
  if (found === undefined) {
    const known = stores.map(({ type }) => type).join(', ');
    const sentence = `featureStore: no provider for ${settings.type} yet; this version has ${known}.`;
    throw new HoldfastError('HF_PROVIDER_UNAVAILABLE', sentence);
  }
  return (await found.load()).open(settings, warehouse);
}
