import { KubeError } from '../../operator/kube/api.ts';

/** Whether what ended a watch passes by itself, such as a connection that broke off: refused rights do not. */
export function passesByItself(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return error.status === 0 ? error.reason !== 'NoCredentials' : error.status === 410 || error.status >= 429;
}
