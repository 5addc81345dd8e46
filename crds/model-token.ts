/** Name of the environment variable that holds the bearer token of a remote model. */
export function modelTokenVariable(modelId: string): string {
  return `HOLDFAST_MODEL_TOKEN_${modelId.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}
