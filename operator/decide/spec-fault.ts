import { checkMeaning, fieldName, type RetentionProgramSpec, unavailableProviders } from '../../crds/index.ts';
import type { ConditionReason } from './reasons.ts';

/** Why a program cannot be carried out as it is written, with the field; undefined when it can. */
export function specFault(
  spec: RetentionProgramSpec,
): { readonly reason: ConditionReason; readonly message: string } | undefined {
  const [finding] = checkMeaning(spec);
  if (finding !== undefined) return { reason: 'SpecInvalid', message: `${fieldName(finding.path)} ${finding.reason}` };
  const [provider] = unavailableProviders(spec);
  if (provider !== undefined) {
    return { reason: 'ProviderUnavailable', message: `${fieldName(provider.path)} ${provider.reason}` };
  }
  // On a laptop the environment has it, so that the schema cannot ask for it.
  const index = spec.dataConnectors.findIndex(
    ({ type, config }) => type === 'postgres' && config.connectionSecretRef === undefined,
  );
  if (index === -1) return undefined;
  const field = fieldName(['spec', 'dataConnectors', index, 'config', 'connectionSecretRef']);
  return { reason: 'SpecInvalid', message: `${field} is missing: on a cluster a secret says how to connect` };
}
