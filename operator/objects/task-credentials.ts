import {
  connectionVariable,
  HOLDOUT_KEY_VARIABLE,
  modelTokenVariable,
  type Secret,
} from '../../contract/credentials.ts';
import type { PodsSpec } from './owner.ts';

type SecretKey = { readonly name: string; readonly key: string };

/** A variable of a container: what it is, or the key of a secret that has it. */
export type Variable = { readonly name: string } & (
  | { readonly value: string }
  | { readonly valueFrom: { readonly secretKeyRef: SecretKey } }
);

/** The variable that holds the key of a secret; none where no secret is named. */
export function fromSecret(name: string, secret: SecretKey | undefined): readonly Variable[] {
  return secret === undefined ? [] : [{ name, valueFrom: { secretKeyRef: secret } }];
}

const VARIABLES: Readonly<Record<Secret, (spec: PodsSpec) => readonly Variable[]>> = {
  connections: ({ dataConnectors = [] }) =>
    dataConnectors.flatMap(({ connectorId, config }) =>
      fromSecret(connectionVariable(connectorId), config.connectionSecretRef),
    ),
  modelTokens: ({ scoringModels = [] }) =>
    scoringModels.flatMap(({ modelId, tokenSecretRef }) => fromSecret(modelTokenVariable(modelId), tokenSecretRef)),
  holdoutKey: ({ holdout }) => fromSecret(HOLDOUT_KEY_VARIABLE, holdout?.keySecretRef),
};

/** What an owner names of the secrets that a task may have, each by reference. */
export function secretVariables(spec: PodsSpec, secrets: readonly Secret[]): readonly Variable[] {
  return secrets.flatMap((secret) => VARIABLES[secret](spec));
}
