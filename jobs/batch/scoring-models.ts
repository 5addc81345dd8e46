import { HoldfastError } from '../../base/errors.ts';
import { keepScores, readCachedScores } from '../../database/scores/cached-scores.ts';
import { type CacheCounts, type CachedModel, cachedModel } from '../../providers/models/cached.ts';
import { loadModel } from '../../providers/models/index.ts';
import type { Model, ModelRole } from '../../providers/models/model.ts';
import type { BatchContext } from './batch-stage.ts';

/** A model and how many rows it takes at a time. */
export interface BatchedModel {
  readonly model: Model;
  readonly batchSize: number;
}

/** The models of a program by what they predict. */
export interface ScoringModels extends AsyncDisposable {
  readonly risk: BatchedModel;
  readonly offers: BatchedModel | undefined;
  /** What the score cache did for remote models; undefined where there is none. */
  readonly cacheCounts: () => CacheCounts | undefined;
}

/**
 * Loads the models that a program names and finds out which is which.
 * @throws HF_MODEL_REFUSED unless exactly one predicts churn and at most one the effect of offers;
 *   HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_PROVIDER_UNAVAILABLE
 */
export async function loadScoringModels(context: BatchContext): Promise<ScoringModels> {
  const loaded: BatchedModel[] = [];
  const caches: CachedModel[] = [];
  const dispose = async () => {
    for (const { model } of loaded.splice(0)) await model.close();
  };
  try {
    for (const scoringModel of context.spec.scoringModels) {
      const { baseFolder, confined, resources, signal } = context;
      const reference = { ...scoringModel, baseFolder, confined, threads: resources.threads, signal };
      const model = await loadModel(reference, context.providers?.models);
      // A remote model gets several batches at a time, and asks about them at once.
      const batchSize = scoringModel.batchSize * (model.remote?.requestsAtOnce ?? 1);
      const cached = withCache(model, scoringModel.cacheTTLHours ?? DEFAULT_CACHE_HOURS, context);
      if (cached !== undefined) caches.push(cached);
      loaded.push({ model: cached ?? model, batchSize });
    }
    const [risk] = ofRole(loaded, 'churn-risk');
    const [offers] = ofRole(loaded, 'offer-effectiveness');
    if (risk === undefined) {
      throw new HoldfastError(
        'HF_MODEL_REFUSED',
        'scoringModels names no model whose role is churn-risk; one is needed.',
      );
    }
    return { risk, offers, cacheCounts: () => total(caches), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

const DEFAULT_CACHE_HOURS = 168;

/** The model with the score cache in front of it; undefined for one in this process, which is faster than any cache. */
function withCache(model: Model, ttlHours: number, { database, dryRun }: BatchContext): CachedModel | undefined {
  const { remote } = model;
  if (remote === undefined || database === undefined || ttlHours === 0) return undefined;
  const cache = {
    get: (keys: readonly Buffer[]) => readCachedScores(database, keys),
    put: (entries: Parameters<typeof keepScores>[1], hours: number) => keepScores(database, entries, hours),
  };
  return cachedModel({ ...model, remote }, { cache, ttlHours, readOnly: dryRun });
}

function total(caches: readonly CachedModel[]): CacheCounts | undefined {
  if (caches.length === 0) return undefined;
  const all = caches.map(({ counts }) => counts());
  const sum = (count: keyof CacheCounts) => all.reduce((so, counts) => so + counts[count], 0);
  return {
    rows: sum('rows'),
    hits: sum('hits'),
    repeated: sum('repeated'),
    sent: sum('sent'),
    failures: sum('failures'),
  };
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
