import { Type } from 'typebox';
import { fields, text } from '../../../base/schema/fields.ts';
import type { Parameters } from '../../parameters.ts';
import type { ConnectorOf } from '../connector.ts';

/** Where the files are, or what business is made up in their place. */
export const duckdbParameters = {
  fields: {
    path: Type.Optional(
      text('duckdb: a database file, or a Parquet, CSV, JSON or Excel file or glob; relative to the manifest.', 4096),
    ),
    table: Type.Optional(
      text('duckdb: name under which the query sees a file. Default: the name of the file without its ending.', 63),
    ),
    sheet: Type.Optional(text('duckdb: sheet of an Excel workbook. Default: the only one that is not hidden.', 31)),
    allVarchar: Type.Optional(
      Type.Boolean({
        description:
          'duckdb: columns of a CSV, JSON or Excel file reach the query as the texts that are written there. Without it the type of ' +
          'each column is guessed from each file anew.',
      }),
    ),
    sample: Type.Optional(
      fields('duckdb: a made-up subscription business instead of a file, to try things on.', {
        customers: Type.Integer({
          minimum: 100,
          maximum: 10_000_000,
          default: 10_000,
          description: 'Rows that the example query returns.',
        }),
        seed: Type.Integer({
          minimum: 0,
          maximum: 2_147_483_647,
          default: 1,
          description: 'Seed of the generator: same seed, same business.',
        }),
      }),
    ),
  },
  rules: [
    {
      rule: "self.type != 'duckdb' || has(self.config.path) != has(self.config.sample)",
      message: 'a duckdb connector needs exactly one of path and sample',
      fieldPath: '.config',
    },
    {
      rule: '!has(self.config.table) || !has(self.config.sample)',
      message: 'table names a file of path; the tables of a sample have names of their own',
      fieldPath: '.config.table',
    },
  ],
  // Manifests from before anybody asked have them.
  ignoredElsewhere: ['sheet', 'allVarchar'],
} satisfies Parameters;

export type DuckdbConnector = ConnectorOf<typeof duckdbParameters>;
