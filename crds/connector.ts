import { Type } from 'typebox';
import { fields, oneOf, rules } from '../base/schema/fields.ts';
import { CONNECTOR } from '../providers/warehouses/connector.ts';
import type { DataConnector, Warehouses } from '../providers/warehouses/index.ts';
import { providerFields, providerRules } from './provider-parameters.ts';

/** A connector of a program, with the parameters of every kind of warehouse. */
export function connector(warehouses: Warehouses) {
  const parameters = Object.entries(providerFields(warehouses));
  const usable = providerFields(warehouses.filter(({ load }) => load !== undefined));
  const { connectorId, query, optionalColumns } = CONNECTOR;
  const types = warehouses.map(({ type }) => type);
  return Type.Unsafe<DataConnector>(
    fields(
      'A warehouse and what to read from it.',
      {
        connectorId,
        type: oneOf(types, 'Kind of warehouse.'),
        config: fields('Where the warehouse is and what to ask it.', {
          query,
          ...Object.fromEntries(parameters.filter(([field]) => field in usable)),
          optionalColumns,
          ...Object.fromEntries(parameters.filter(([field]) => !(field in usable))),
        }),
      },
      rules(...providerRules('connector', 'config', warehouses)),
    ),
  );
}
