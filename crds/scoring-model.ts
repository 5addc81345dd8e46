import { type Static, type TObject, Type } from 'typebox';
import { fields, rules, SET, text } from '../base/schema/fields.ts';
import type { Models, ModelValues } from '../providers/models/index.ts';
import type { ModelDefinition } from '../providers/models/model.ts';
import { providerFields } from './provider-parameters.ts';

const SHA256 = {
  pattern: '^[0-9a-f]{64}$',
  meaning: 'a SHA-256 of 64 lower-case hexadecimal digits',
  maxLength: 64,
};

const BEFORE = {
  modelId: text('Name of the model, as in the file beside it.', 63),
  endpoint: Type.String(),
  sha256: Type.Optional(
    Type.String({
      ...SHA256,
      description: 'SHA-256 of the model file, for https:// of its manifest: bytes other than these are refused.',
    }),
  ),
};

const AFTER = {
  features: Type.Array(text('Column of the candidate.', 63), {
    minItems: 1,
    maxItems: 256,
    description: 'Columns that the model is given, in its order.',
    ...SET,
  }),
  batchSize: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 1000,
    description: 'Candidates scored in one call.',
  }),
};

/** A model of a program, with the parameters of every kind of model. */
export function scoringModel(models: Models) {
  const named = models.map((model) => ({ ...model, type: model.schemes.join(' or ') }));
  return Type.Unsafe<Static<TObject<typeof BEFORE & typeof AFTER>> & ModelValues>(
    fields(
      'A model that scores candidates.',
      { ...BEFORE, endpoint: endpoint(models), ...providerFields(named), ...AFTER },
      // The order in which the API server has always told them.
      rules(...models.toReversed().flatMap(({ parameters }) => parameters.rules ?? [])),
    ),
  );
}

function endpoint(models: Models) {
  const forms = models.map(({ parameters }) => parameters.form);
  const descriptions = models.flatMap(({ parameters }) => parameters.description ?? []);
  return Type.String({
    pattern: `^(${alternatives(models).join('|')})$`,
    meaning: [forms.slice(0, -1).join(', '), ...forms.slice(-1)].filter(Boolean).join(' or '),
    maxLength: 2048,
    description: `Where the model is. ${descriptions.join(' ')}`,
  });
}

/** Patterns of endpoints: schemes that are followed by the same share one. */
function alternatives(models: Models): string[] {
  const alike = Map.groupBy(models, ({ parameters }) => parameters.address);
  return [...alike].map(([address, list]) => `${schemesOf(list)}://${address}`);
}

function schemesOf(models: readonly ModelDefinition[]): string {
  const all = models
    .flatMap(({ schemes }) => schemes)
    .join('|')
    .replace('http|https', 'https?');
  return all.includes('|') ? `(${all})` : all;
}
