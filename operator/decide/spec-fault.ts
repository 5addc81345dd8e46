import { checkMeaning, fieldName, type RetentionProgramSpec, unavailableProviders } from '../../crds/index.ts';
import type { ConditionReason } from './reasons.ts';

/** Why a program cannot be carried out as it is written, with the field; undefined when it can. */
export function specFault(
  spec: RetentionProgramSpec,
): { readonly reason: ConditionReason; readonly message: string } | undefined {
  const [finding] = checkMeaning(spec);
  if (finding !== undefined) return { reason: 'SpecInvalid', message: `${fieldName(finding.path)} ${finding.reason}` };
  const [provider] = unavailableProviders(spec);
  return provider && { reason: 'ProviderUnavailable', message: `${fieldName(provider.path)} ${provider.reason}` };
}
