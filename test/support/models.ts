import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelManifest } from '../../providers/models/model.ts';

/** What a program says of a model. */
export interface ScoringModel {
  readonly modelId: string;
  readonly endpoint: string;
  readonly sha256: string;
  readonly features: string[];
  readonly batchSize: number;
}

/** Writes a model and the manifest beside it, and gives the entry of `scoringModels` that names it. */
export async function writeModel(
  folder: string,
  bytes: Uint8Array,
  manifest: Pick<ModelManifest, 'modelId' | 'features'> & Partial<ModelManifest>,
  batchSize = 1000,
): Promise<ScoringModel> {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const whole: ModelManifest = {
    role: manifest.kinds === undefined ? 'churn-risk' : 'offer-effectiveness',
    sha256,
    calibrated: true,
    training: { from: '2025-01-01', to: '2025-12-31', rows: 1000, label: 'cancellation within 90 days' },
    figures: { auc: 0.8 },
    ...manifest,
  };
  await writeFile(join(folder, `${manifest.modelId}.onnx`), bytes);
  await writeFile(join(folder, `${manifest.modelId}.json`), JSON.stringify(whole));
  return {
    modelId: manifest.modelId,
    endpoint: `onnx://${manifest.modelId}.onnx`,
    sha256,
    features: [...manifest.features],
    batchSize,
  };
}
