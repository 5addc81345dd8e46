import { oncePer } from '../../base/once-per.ts';
import { printable, shortened } from '../../base/text/printable.ts';
import type { Pipelines } from '../../contract/pipelines.ts';
import {
  checkMeaning,
  fieldName,
  isServer,
  type RetentionProgramSpec,
  unavailableProviders,
} from '../../crds/index.ts';
import type { ProgramObject } from '../kube/objects.ts';
import type { PodsSpec } from '../objects/owner.ts';
import { runsIn, type StageSettings } from '../settings/settings.ts';
import type { ConditionReason } from './reasons.ts';
import { referenceFault } from './references.ts';

/** Longest reason that a condition tells, in characters: it may quote the spec. */
const LONGEST_REASON = 600;

interface ProgramFault {
  readonly reason: ConditionReason;
  readonly message: string;
}

/** Why a program is not carried out as it is written, or not at all; undefined when it is. */
export function programFault(
  program: ProgramObject,
  settings: StageSettings,
  pipelines: Pipelines,
): ProgramFault | undefined {
  const { namespace } = program.metadata;
  if (!runsIn(namespace, settings)) {
    return {
      reason: 'NotAllowed',
      message: `namespace ${namespace} is not one whose programs are run: watchNamespaces of the chart names those`,
    };
  }
  return sizeFault(program) ?? specFaultBy(pipelines)(program.spec) ?? notAllowed(program.spec, settings);
}

/** Why a task may not be made of a spec, whenever it was written; undefined when it may. */
export function notAllowed(spec: PodsSpec, settings: StageSettings): ProgramFault | undefined {
  const message = referenceFault(spec, settings);
  return message === undefined ? undefined : { reason: 'NotAllowed', message };
}

/** Why the spec of a program is not looked at; undefined when it is. */
export function sizeFault({ unread }: ProgramObject): ProgramFault | undefined {
  return unread === undefined ? undefined : { reason: 'SpecInvalid', message: unread };
}

/** Each table with what is known of specs by it. */
const specFaultBy = oncePer((pipelines: Pipelines) =>
  oncePer((spec: RetentionProgramSpec) => specFault(spec, pipelines)),
);

function specFault(spec: RetentionProgramSpec, pipelines: Pipelines): ProgramFault | undefined {
  const [finding, ...others] = checkMeaning(spec, pipelines);
  if (finding !== undefined) {
    const reason = shortened(printable(finding.reason), LONGEST_REASON);
    const more = others.length === 0 ? '' : `; and ${others.length} more ${others.length === 1 ? 'fault' : 'faults'}`;
    return { reason: 'SpecInvalid', message: `${fieldName(finding.path)} ${reason}${more}` };
  }
  const [provider] = unavailableProviders(spec);
  if (provider !== undefined) {
    return { reason: 'ProviderUnavailable', message: `${fieldName(provider.path)} ${provider.reason}` };
  }
  // On a laptop the environment has it, so that the schema cannot ask for it.
  const index = spec.dataConnectors.findIndex(
    (connector) => isServer(connector) && connector.config.connectionSecretRef === undefined,
  );
  if (index === -1) return undefined;
  const field = fieldName(['spec', 'dataConnectors', index, 'config', 'connectionSecretRef']);
  return { reason: 'SpecInvalid', message: `${field} is missing: on a cluster a secret says how to connect` };
}
