import type { Model, ModelReferenceOf } from '../../../../providers/models/model.ts';
import type { hunchParameters } from './parameters.ts';

/** A model that predicts what its endpoint says. */
export async function load(reference: ModelReferenceOf<typeof hunchParameters>): Promise<Model> {
  const { modelId, endpoint, features, doubt = 0 } = reference;
  const risk = Number(endpoint.slice('hunch://'.length)) - doubt;
  return {
    manifest: {
      modelId,
      role: 'churn-risk',
      sha256: '0'.repeat(64),
      features,
      calibrated: true,
      training: { from: '2026-01-01', to: '2026-02-01', rows: 1, label: 'churned' },
      figures: {},
    },
    concurrency: 1,
    outputs: 1,
    score: async (_features, rows) => new Float32Array(rows).fill(risk),
    close: async () => {},
  };
}
