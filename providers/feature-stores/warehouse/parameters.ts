import { text } from '../../../base/schema/fields.ts';
import type { Parameters, Values } from '../../parameters.ts';
import type { FeatureStoreSettings } from '../feature-store.ts';

/** Where in the connector's warehouse the features are. */
export const warehouseParameters = {
  fields: { table: text('Table or view keyed by customer_id.', 255) },
} satisfies Parameters;

export type WarehouseFeatures = FeatureStoreSettings & Values<typeof warehouseParameters.fields>;
