import { HoldfastError } from '../errors.ts';
import { loadModel } from '../models/index.ts';
import type { Model, ModelRole } from '../models/model.ts';
import type { StageContext } from '../run/stage.ts';

/** A model and how many rows it takes at a time. */
export interface BatchedModel {
  readonly model: Model;
  readonly batchSize: number;
}

/** The models of a program by what they predict. */
export interface ScoringModels extends AsyncDisposable {
  readonly risk: BatchedModel;
  readonly offers: BatchedModel | undefined;
}

/**
 * Loads the models that a program names and finds out which is which.
 * @throws HF_MODEL_REFUSED unless exactly one predicts churn and at most one the effect of offers;
 *   HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_PROVIDER_UNAVAILABLE
 */
export async function loadScoringModels(context: StageContext): Promise<ScoringModels> {
  const loaded: BatchedModel[] = [];
  const dispose = async () => {
    for (const { model } of loaded.splice(0)) await model.close();
  };
  try {
    for (const { batchSize, ...scoringModel } of context.program.scoringModels) {
      const reference = { ...scoringModel, baseFolder: context.baseFolder, threads: context.resources.threads };
      loaded.push({ model: await loadModel(reference), batchSize });
    }
    const [risk] = ofRole(loaded, 'churn-risk');
    const [offers] = ofRole(loaded, 'offer-effectiveness');
    if (risk === undefined) {
      throw new HoldfastError(
        'HF_MODEL_REFUSED',
        'scoringModels names no model whose role is churn-risk; one is needed.',
      );
    }
    return { risk, offers, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function ofRole(models: readonly BatchedModel[], role: ModelRole): BatchedModel[] {
  const found = models.filter(({ model }) => model.manifest.role === role);
  if (found.length > 1) {
    const names = found.map(({ model }) => model.manifest.modelId).join(', ');
    throw new HoldfastError(
      'HF_MODEL_REFUSED',
      `scoringModels names several models whose role is ${role}: ${names}. Keep one.`,
    );
  }
  return found;
}
