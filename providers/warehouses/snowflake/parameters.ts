import { text } from '../../../base/schema/fields.ts';
import type { Parameters } from '../../parameters.ts';

/** Where the data are. */
export const snowflakeParameters = {
  fields: {
    account: text('snowflake: account identifier.'),
    database: text('snowflake: database.'),
    schema: text('snowflake: schema.'),
  },
} satisfies Parameters;
