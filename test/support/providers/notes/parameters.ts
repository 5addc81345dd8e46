import { text } from '../../../../base/schema/fields.ts';
import type { FeatureStoreSettings } from '../../../../providers/feature-stores/feature-store.ts';
import type { Parameters, Values } from '../../../../providers/parameters.ts';

export const notesParameters = {
  fields: { notes: text('notes: path of a Parquet file with what is known of each customer.', 4096) },
} satisfies Parameters;

export type Notes = FeatureStoreSettings & Values<typeof notesParameters.fields>;
