import { type Static, type TObject, Type } from 'typebox';
import { fields, name, oneOf, rules } from '../base/schema/fields.ts';
import type { FeatureStores, FeatureStoreValues } from '../providers/feature-stores/index.ts';
import { providerFields, providerRules } from './provider-parameters.ts';

const OF_ALL = { connectorId: name('Connector whose warehouse has the table.') };

/** The feature store of a program, with the parameters of every kind. */
export function featureStore(stores: FeatureStores) {
  const types = stores.map(({ type }) => type);
  const kinds = 'Kind of feature store. `warehouse` is a table of a connector.';
  const restricting = providerRules('featureStore', undefined, stores);
  return Type.Unsafe<{ type: string } & Static<TObject<typeof OF_ALL>> & FeatureStoreValues>(
    fields(
      'Where columns come from that the query does not select and a filter or model needs.',
      { type: oneOf(types, kinds), ...OF_ALL, ...providerFields(stores) },
      restricting.length === 0 ? {} : rules(...restricting),
    ),
  );
}
