import { fieldName } from '../../crds/index.ts';
import type { PodsSpec } from '../objects/owner.ts';
import { isAllowed, USES, type Use } from '../settings/allowed.ts';
import type { StageSettings } from '../settings/settings.ts';

/** An object of its namespace that an owner names, and what for. */
interface Reference {
  readonly use: Use;
  readonly name: string;
  readonly field: readonly (string | number)[];
}

/** Pods run as it unless an owner says otherwise: to name it is to say nothing. */
const DEFAULT_SERVICE_ACCOUNT = 'default';

/** Everything by which the pods of an owner get at something of the namespace. */
function referencesOf({ dataConnectors = [], scoringModels = [], holdout, storage, execution }: PodsSpec) {
  const found: Reference[] = [];
  const add = (use: Use, name: string | undefined, ...field: Reference['field']) => {
    if (name !== undefined) found.push({ use, name, field: ['spec', ...field] });
  };
  for (const [index, { config }] of dataConnectors.entries()) {
    const field = ['dataConnectors', index, 'config', 'connectionSecretRef', 'name'];
    add('connections', config.connectionSecretRef?.name, ...field);
  }
  for (const [index, { tokenSecretRef }] of scoringModels.entries()) {
    add('tokens', tokenSecretRef?.name, 'scoringModels', index, 'tokenSecretRef', 'name');
  }
  add('keys', holdout?.keySecretRef?.name, 'holdout', 'keySecretRef', 'name');
  add('database', storage?.postgres?.secretRef.name, 'storage', 'postgres', 'secretRef', 'name');
  add('artifacts', storage?.artifacts?.claimName, 'storage', 'artifacts', 'claimName');
  add('files', storage?.files?.claimName, 'storage', 'files', 'claimName');
  add('configMaps', storage?.files?.configMapName, 'storage', 'files', 'configMapName');
  add('serviceAccounts', execution.serviceAccountName, 'execution', 'serviceAccountName');
  return found;
}

/**
 * Why an owner may not have what it names, with the field; undefined when it may. The API server has asked the same, and
 * whether whoever wrote it may; here it holds also for what was written before, or past the policy.
 */
export function referenceFault(spec: PodsSpec, settings: StageSettings): string | undefined {
  const { postgresSecret, artifactsClaim, allowed } = settings;
  const own: Partial<Record<Use, string | undefined>> = {
    database: postgresSecret?.name,
    artifacts: artifactsClaim,
    serviceAccounts: DEFAULT_SERVICE_ACCOUNT,
  };
  const databases = [own.database, spec.storage?.postgres?.secretRef.name];
  const artifacts = [own.artifacts, spec.storage?.artifacts?.claimName];
  for (const { use, name, field } of referencesOf(spec)) {
    const { kind, value } = USES[use];
    const subject = `${fieldName(field)}: the ${kind} ${name}`;
    if (name !== own[use] && !isAllowed(name, allowed[use])) {
      const names = allowed[use].join(', ') || 'none';
      return `${subject} is not one that programs may use for this; those are ${names} (${value} of the chart)`;
    }
    if (kind === 'Secret' && use !== 'database' && databases.includes(name)) {
      return `${subject} is that of the database, which is for nothing else`;
    }
    if (use === 'files' && artifacts.includes(name)) {
      return `${subject} holds the artifacts of all programs, which are not files of one`;
    }
  }
  return undefined;
}
