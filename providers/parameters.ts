import type { Static, TObject, TSchema } from 'typebox';
import type { Rule } from '../base/schema/fields.ts';

/** Fields of an object, by name. */
export type Fields = Readonly<Record<string, TSchema>>;

/**
 * What a provider reads of a manifest beside what all of its sort have. The schema of the kind is composed of what all
 * providers say (crds/provider-parameters.ts), so none of these has a default: it would reach the others' objects, too.
 */
export interface Parameters<Own extends Fields = Fields> {
  readonly fields: Own;
  /** What the fields alone cannot say, about the whole object that a provider is chosen by. */
  readonly rules?: readonly Rule[];
  /** Fields that objects of other types may have, too, where nobody reads them. */
  readonly ignoredElsewhere?: readonly string[];
}

/** What a provider reads, as values. */
export type Values<Own extends Fields> = Static<TObject<Own>>;

type Consumers<Definition> = Definition extends { readonly parameters: { readonly fields: infer Own extends Fields } }
  ? (values: Partial<Values<Own>>) => void
  : never;

/** The parameters of all providers of a registry, none required. */
export type AllValues<Registry extends readonly { readonly parameters: Parameters }[]> =
  Consumers<Registry[number]> extends (values: infer All) => void ? All : never;
