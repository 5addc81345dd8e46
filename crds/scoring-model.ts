import { Type } from 'typebox';
import { fields, rules } from '../base/schema/fields.ts';
import type { Models, ModelValues } from '../providers/models/index.ts';
import { type ModelDefinition, SCORING_MODEL, type ScoringModelFields } from '../providers/models/model.ts';
import { providerFields } from './provider-parameters.ts';

/** A model of a program, with the parameters of every kind of model. */
export function scoringModel(models: Models) {
  const { modelId, sha256, features, batchSize } = SCORING_MODEL;
  const named = models.map((model) => ({ ...model, type: model.schemes.join(' or ') }));
  return Type.Unsafe<ScoringModelFields & ModelValues>(
    fields(
      'A model that scores candidates.',
      { modelId, endpoint: endpoint(models), sha256, ...providerFields(named), features, batchSize },
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
