import { forField } from '../../base/errors.ts';
import type { Secret } from '../../contract/credentials.ts';
import type { StageDefinition } from '../../contract/pipelines.ts';
import { loadModel } from '../../providers/models/index.ts';
import { requireWarehouseProvider } from '../../providers/warehouses/index.ts';
import type { Io } from '../io.ts';
import type { LocalRun } from '../local/local-run.ts';

/** Whether one of some stages is given a secret, and so goes where that leads. */
export function isGiven(secret: Secret, stages: readonly StageDefinition[]): boolean {
  return stages.some(({ secrets = [] }) => secrets.includes(secret));
}

/**
 * Refuses, before anything is read, what only the end of a long run would find out: connectors, where one of the stages reads
 * them, and models, where one asks them.
 * @throws HF_PROVIDER_UNAVAILABLE, HF_USAGE, HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED,
 *   HF_MODEL_UNREACHABLE
 */
export async function checkProviders(
  { spec, baseFolder, connectors: { sources } }: Pick<LocalRun, 'spec' | 'baseFolder' | 'connectors'>,
  stages: readonly StageDefinition[],
  { signal, providers }: Io,
): Promise<void> {
  for (const [index, connector] of isGiven('connections', stages) ? spec.dataConnectors.entries() : []) {
    const check = async () =>
      requireWarehouseProvider(connector, sources[connector.connectorId], providers?.warehouses);
    await forField(['spec', 'dataConnectors', index], check);
  }
  for (const [index, scoringModel] of isGiven('modelTokens', stages) ? spec.scoringModels.entries() : []) {
    const load = () => loadModel({ ...scoringModel, baseFolder, threads: 1, signal }, providers?.models);
    const model = await forField(['spec', 'scoringModels', index, 'endpoint'], load);
    await model.close();
  }
}

/** Says on stderr which connectors will take long, or much memory, before they are read. */
export async function sayCosts(
  { spec, baseFolder, connectors: { sources } }: Pick<LocalRun, 'spec' | 'baseFolder' | 'connectors'>,
  stages: readonly StageDefinition[],
  { stderr, providers }: Io,
): Promise<void> {
  for (const connector of isGiven('connections', stages) ? spec.dataConnectors : []) {
    const source = sources[connector.connectorId];
    const provider = await requireWarehouseProvider(connector, source, providers?.warehouses)();
    const cost = await provider.costOf?.(connector, { source, baseFolder });
    if (cost !== undefined) stderr.write(`note: ${cost}\n`);
  }
}
