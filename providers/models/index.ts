import { HoldfastError } from '../../base/errors.ts';
import type { Model, ModelProvider, ModelReference } from './model.ts';

/** Every provider by its URI scheme, loaded when a model names it. Adding one is a file here and a line below. */
const PROVIDERS: Readonly<Record<string, () => Promise<ModelProvider>>> = {
  http: async () => (await import('./http/model.ts')).http,
  https: async () => (await import('./http/model.ts')).http,
  onnx: async () => (await import('./onnx/model.ts')).onnx,
};

/**
 * Loads and verifies a model.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED,
 *   HF_MODEL_UNREACHABLE, HF_PATH_REFUSED, HF_INTERRUPTED
 */
export async function loadModel(reference: ModelReference): Promise<Model> {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(reference.endpoint)?.[1];
  const provider = scheme !== undefined && Object.hasOwn(PROVIDERS, scheme) ? PROVIDERS[scheme] : undefined;
  if (provider === undefined) {
    throw new HoldfastError(
      'HF_PROVIDER_UNAVAILABLE',
      `Model ${reference.modelId}: no provider for ${scheme === undefined ? 'an endpoint without a scheme' : `${scheme}://`}; ` +
        `this version has ${Object.keys(PROVIDERS)
          .map((known) => `${known}://`)
          .join(', ')}.`,
    );
  }
  return (await provider()).load(reference);
}
