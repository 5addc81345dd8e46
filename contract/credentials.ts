/**
 * What a stage may be given besides the database: the ways into the warehouses, the bearer tokens of remote models, the key
 * of the draw that holds people out. Each is an environment variable, on a cluster by reference to a secret.
 */
export type Secret = 'connections' | 'modelTokens' | 'holdoutKey';

/** Environment variable that holds the connection of a connector, such as `HOLDFAST_CONNECTION_CRM`. */
export function connectionVariable(connectorId: string): string {
  return `HOLDFAST_CONNECTION_${connectorId.toUpperCase().replaceAll('-', '_')}`;
}

/** Name of the environment variable that holds the bearer token of a remote model. */
export function modelTokenVariable(modelId: string): string {
  return `HOLDFAST_MODEL_TOKEN_${modelId.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

/** Environment variable with the key of the draw. */
export const HOLDOUT_KEY_VARIABLE = 'HOLDFAST_HOLDOUT_KEY';
