import type { RetentionProgramSpec } from '../../crds/index.ts';
import { POSTGRES, programSpec } from './program.ts';

type Change = Partial<RetentionProgramSpec>;

interface ReferenceCase {
  readonly change: Change;
  /** The field and what it names, where that is refused. */
  readonly refused?: string;
}

const secret = (name: string) => ({ name, key: 'url' });

/** A connector for each of these Secrets. */
export function reading(...names: readonly string[]): Change {
  const [connector] = POSTGRES;
  if (connector === undefined) throw new Error('there is no such connector');
  return {
    dataConnectors: names.map((name, index) => ({
      ...connector,
      connectorId: `crm-${index}`,
      config: { ...connector.config, connectionSecretRef: secret(name) },
    })),
  };
}

/** A model on a server for each of these Secrets. */
export function asking(...names: readonly string[]): Change {
  const [model] = programSpec().scoringModels;
  if (model === undefined) throw new Error('there is no such model');
  return {
    scoringModels: names.map((name, index) => ({
      ...model,
      modelId: `risk-${index}`,
      endpoint: 'https://models.example.com/v2/models/risk/versions/1',
      manifest: 'risk.json',
      tokenSecretRef: secret(name),
    })),
  };
}

const drawing = (name: string): Change => ({ holdout: { share: 0.1, epoch: 1, keySecretRef: secret(name) } });
const storing = (name: string): Change => ({ storage: { postgres: { secretRef: secret(name) } } });
const handing = (claimName: string): Change => ({ storage: { artifacts: { claimName } } });
const filed = (claimName: string): Change => ({ storage: { files: { claimName } } });
const mapped = (configMapName: string): Change => ({ storage: { files: { configMapName } } });
/** With this service account for its pods. */
export function running(serviceAccountName: string): Change {
  return { execution: { ...programSpec().execution, serviceAccountName } };
}

const CONNECTION = 'spec.dataConnectors[0].config.connectionSecretRef.name: the Secret';
const TOKEN = 'spec.scoringModels[0].tokenSecretRef.name: the Secret';
const KEY = 'spec.holdout.keySecretRef.name: the Secret';
const DATABASE = 'spec.storage.postgres.secretRef.name: the Secret';
const ARTIFACTS = 'spec.storage.artifacts.claimName: the PersistentVolumeClaim';
const FILES = 'spec.storage.files.claimName: the PersistentVolumeClaim';
const MAP = 'spec.storage.files.configMapName: the ConfigMap';
const ACCOUNT = 'spec.execution.serviceAccountName: the ServiceAccount';

/** What a program names of its namespace, as the chart comes: the API server and the operator judge it alike. */
export const REFERENCE_CASES: Readonly<Record<string, ReferenceCase>> = {
  'a program that names nothing': { change: {} },
  'a warehouse by a Secret that is for one': { change: reading('holdfast-warehouse-crm') },
  'a warehouse by any Secret': { change: reading('crm'), refused: `${CONNECTION} crm` },
  'a warehouse by the Secret of a model': {
    change: reading('holdfast-token-risk'),
    refused: `${CONNECTION} holdfast-token-risk`,
  },
  'the system of record as a warehouse': {
    change: reading('holdfast-postgres'),
    refused: `${CONNECTION} holdfast-postgres`,
  },
  'a second warehouse by any Secret': {
    change: reading('holdfast-warehouse-crm', 'crm'),
    refused: 'spec.dataConnectors[1].config.connectionSecretRef.name: the Secret crm',
  },
  'a token by a Secret that is for one': { change: asking('holdfast-token-risk') },
  'a token by any Secret': { change: asking('registry'), refused: `${TOKEN} registry` },
  'the URL of a warehouse as a token': {
    change: asking('holdfast-warehouse-crm'),
    refused: `${TOKEN} holdfast-warehouse-crm`,
  },
  'the URL of the system of record as a token': {
    change: asking('holdfast-postgres'),
    refused: `${TOKEN} holdfast-postgres`,
  },
  'the key of the draw by a Secret that is for one': { change: drawing('holdfast-key-draw') },
  'the key of the draw by any Secret': { change: drawing('registry'), refused: `${KEY} registry` },
  'a database of its own': { change: storing('holdfast-postgres-shop') },
  'the database of all programs, by its name': { change: storing('holdfast-postgres') },
  'any database': { change: storing('billing'), refused: `${DATABASE} billing` },
  'a claim for its artifacts': { change: handing('holdfast-artifacts-shop') },
  'any claim for its artifacts': { change: handing('data-postgres-0'), refused: `${ARTIFACTS} data-postgres-0` },
  'a claim for its files': { change: filed('holdfast-files') },
  'any claim for its files': { change: filed('data-postgres-0'), refused: `${FILES} data-postgres-0` },
  'the artifacts of all programs as its files': {
    change: filed('holdfast-artifacts'),
    refused: `${FILES} holdfast-artifacts`,
  },
  'a ConfigMap for its files': { change: mapped('holdfast-files-7f8g9h') },
  'any ConfigMap for its files': { change: mapped('kube-root-ca.crt'), refused: `${MAP} kube-root-ca.crt` },
  'a service account for its pods': { change: running('holdfast-tasks-shop') },
  'the service account that pods have anyhow': { change: running('default') },
  'any service account': { change: running('deployer'), refused: `${ACCOUNT} deployer` },
};

/** As much as a program can name: ten warehouses and ten models, each with a Secret, and one of everything else. */
export const EVERY_REFERENCE: Change = {
  ...reading(...Array.from({ length: 10 }, (_, index) => `holdfast-warehouse-${index}`)),
  ...asking(...Array.from({ length: 10 }, (_, index) => `holdfast-token-${index}`)),
  ...drawing('holdfast-key-draw'),
  ...running('holdfast-tasks-shop'),
  storage: {
    postgres: { secretRef: secret('holdfast-postgres-shop') },
    artifacts: { claimName: 'holdfast-artifacts-shop' },
    files: { claimName: 'holdfast-files-shop' },
  },
};
