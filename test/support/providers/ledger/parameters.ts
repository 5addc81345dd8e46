import { text } from '../../../../base/schema/fields.ts';
import type { Parameters } from '../../../../providers/parameters.ts';
import type { ConnectorOf } from '../../../../providers/warehouses/connector.ts';

export const ledgerParameters = {
  fields: { book: text('ledger: the book that is read.') },
  rules: [
    {
      rule: "self.type != 'ledger' || !has(self.config.book) || self.config.book != 'burnt'",
      message: 'nobody can read a burnt book',
      fieldPath: '.config.book',
    },
  ],
} satisfies Parameters;

export type LedgerConnector = ConnectorOf<typeof ledgerParameters>;
