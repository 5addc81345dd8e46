import { HoldfastError } from '../../base/errors.ts';
import type { AllValues } from '../parameters.ts';
import { httpParameters } from './http/parameters.ts';
import type { Model, ModelDefinition, ModelReference } from './model.ts';
import { onnxParameters } from './onnx/parameters.ts';
import { sagemakerParameters } from './sagemaker/parameters.ts';

/** Every kind of model, by the schemes of its endpoint. Adding one is a folder here and a line below. */
export const MODELS = [
  { schemes: ['onnx'], parameters: onnxParameters, load: async () => (await import('./onnx/model.ts')).onnx },
  { schemes: ['http', 'https'], parameters: httpParameters, load: async () => (await import('./http/model.ts')).http },
  { schemes: ['sagemaker'], parameters: sagemakerParameters },
] as const satisfies readonly ModelDefinition[];

export type Models = readonly ModelDefinition[];

/** What the providers read of a model of a program, whatever its endpoint. */
export type ModelValues = AllValues<typeof MODELS>;

/**
 * Loads and verifies a model.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED,
 *   HF_MODEL_UNREACHABLE, HF_PATH_REFUSED, HF_INTERRUPTED
 */
export async function loadModel(reference: ModelReference<ModelValues>, models: Models = MODELS): Promise<Model> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(reference.endpoint)?.[1];
  const load = scheme === undefined ? undefined : models.find(({ schemes }) => schemes.includes(scheme))?.load;
  if (load === undefined) {
    throw new HoldfastError(
      'HF_PROVIDER_UNAVAILABLE',
      `Model ${reference.modelId}: no provider for ${scheme === undefined ? 'an endpoint without a scheme' : `${scheme}://`}; ` +
        `this version has ${loadedSchemes(models)
          .map((known) => `${known}://`)
          .join(', ')}.`,
    );
  }
  return (await load()).load(reference);
}

/** Schemes of endpoints that this version can use. */
export function loadedSchemes(models: Models): readonly string[] {
  return models.flatMap(({ schemes, load }) => (load === undefined ? [] : schemes)).toSorted();
}
