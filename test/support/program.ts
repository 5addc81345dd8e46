import {
  API_VERSION,
  loadManifests,
  type PipelineStatus,
  type RetentionProgramSpec,
  validateManifest,
} from '../../crds/index.ts';
import type { KubeObject } from '../../operator/kube/api.ts';
import type { ProgramObject, RunObject } from '../../operator/kube/objects.ts';
import type { Owner } from '../../operator/objects/owner.ts';
import type { StageSettings } from '../../operator/settings/settings.ts';
import { PLAIN_TASK_PODS } from '../../operator/settings/task-pods.ts';

/** Whose the objects of `storedProgram()` are. */
export const KEEP: Owner = { kind: 'program', name: 'keep' };

/** Where the stages of a test's operator find things. */
export const STAGE_SETTINGS: StageSettings = {
  image: 'holdfast:test',
  postgresSecret: { name: 'holdfast-postgres', key: 'url' },
  artifactsClaim: 'holdfast-artifacts',
  filesFolder: '/opt/holdfast/examples',
  taskPods: PLAIN_TASK_PODS,
  allowed: {
    database: ['holdfast-postgres-*'],
    connections: ['crm', 'holdfast-warehouse-*'],
    tokens: ['holdfast-token-*'],
    keys: ['holdfast-key-*'],
    artifacts: ['holdfast-artifacts-*'],
    files: ['holdfast-files*'],
    configMaps: ['holdfast-files*'],
    serviceAccounts: ['tasks', 'holdfast-tasks*'],
  },
  watchNamespaces: ['*'],
  maxRuns: 100,
  startJitterSeconds: 0,
};

const MANIFEST = `
apiVersion: ${API_VERSION}
kind: RetentionProgram
metadata: {name: keep}
spec:
  programId: keep
  programName: Keep
  marketplaces: [US]
  dataConnectors:
    - {connectorId: shop, type: duckdb, config: {path: shop.parquet, query: SELECT * FROM shop}}
  scoringModels:
    - modelId: risk
      endpoint: onnx://risk.onnx
      sha256: "${'a'.repeat(64)}"
      features: [engagement_score]
  offerStrategy: {enabled: false}
  batchSchedule: "0 2 * * MON"
`;

/** A warehouse of a kind that the schema knows and no version can read yet. */
export const SNOWFLAKE: RetentionProgramSpec['dataConnectors'] = [
  {
    connectorId: 'shop',
    type: 'snowflake',
    config: { account: 'acme', database: 'SHOP', schema: 'PUBLIC', query: 'SELECT * FROM shop' },
  },
];

/** A warehouse on a server, whose connection is in a secret. */
export const POSTGRES: RetentionProgramSpec['dataConnectors'] = [
  {
    connectorId: 'our-crm',
    type: 'postgres',
    config: { connectionSecretRef: { name: 'crm', key: 'url' }, query: 'SELECT * FROM shop' },
  },
];

/** A valid spec with its defaults, as the API server would hold it. */
export function programSpec(change: Partial<RetentionProgramSpec> = {}): RetentionProgramSpec {
  const [document] = loadManifests(MANIFEST, 'program.yaml');
  const { resolved, faults } = validateManifest(document!);
  if (resolved === undefined) throw new Error(JSON.stringify(faults));
  return { ...(resolved.spec as RetentionProgramSpec), ...change };
}

/** A program to be made. */
export function program(change: Partial<RetentionProgramSpec> = {}, name = 'keep'): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionProgram',
    metadata: { name, namespace: 'shop' },
    spec: programSpec(change),
  };
}

/** A program as the API server holds it, made on the Friday before the first slot. */
export function storedProgram(
  change: Partial<RetentionProgramSpec> = {},
  rest: { readonly status?: ProgramObject['status']; readonly metadata?: Partial<ProgramObject['metadata']> } = {},
): ProgramObject {
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionProgram',
    metadata: {
      name: 'keep',
      namespace: 'shop',
      uid: 'program-uid',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-11-20T12:00:00.000Z',
      ...rest.metadata,
    },
    spec: programSpec(change),
    ...(rest.status === undefined ? {} : { status: rest.status }),
  };
}

/** A run as a person would make it. */
export function run(name = 'by-hand', change: Partial<RunObject['spec']> = {}): KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'RetentionRun',
    metadata: { name, namespace: 'shop' },
    spec: {
      programRef: { name: 'keep' },
      pipeline: 'batch',
      trigger: 'manual',
      dryRun: false,
      suspend: false,
      cancel: false,
      ...change,
    },
  };
}

/** What a program says of one of its pipelines. */
export function pipelineStatusOf(
  program: Pick<ProgramObject, 'status'> | undefined,
  pipeline = 'batch',
): PipelineStatus | undefined {
  return program?.status?.pipelines?.find(({ name }) => name === pipeline);
}
