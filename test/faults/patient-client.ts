import { setTimeout as pause } from 'node:timers/promises';
import { type KubeApi, KubeError } from '../../operator/kube/api.ts';

const PATIENCE_MS = 30_000;
const AGAIN_MS = 100;

/**
 * Asks again while the API server is away or not quite there yet, as it is for a while after it was started again. What it
 * refuses so it has not acted on.
 */
export function patient(api: KubeApi): KubeApi {
  async function ask<T>(request: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await request();
      } catch (error) {
        const passes = error instanceof KubeError && [0, 429, 500, 503].includes(error.status);
        if (!passes || performance.now() > deadline) throw error;
        await pause(AGAIN_MS);
      }
    }
  }
  return {
    list: (...request) => ask(() => api.list(...request)),
    watch: (...request) => api.watch(...request),
    get: (...request) => ask(() => api.get(...request)),
    create: (...request) => ask(() => api.create(...request)),
    applyStatus: (...request) => ask(() => api.applyStatus(...request)),
    patch: (...request) => ask(() => api.patch(...request)),
    replace: (...request) => ask(() => api.replace(...request)),
    delete: (...request) => ask(() => api.delete(...request)),
  };
}
