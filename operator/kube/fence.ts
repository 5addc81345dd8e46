import { type KubeApi, KubeError } from './api.ts';

/**
 * The same API, but nothing is written unless `mayWrite` says so at that moment: a leader that was stopped and continued
 * finds its lease gone before it finds its timers, and must not act on what it believed.
 */
export function fence(api: KubeApi, mayWrite: () => boolean): KubeApi {
  const guard = (): void => {
    if (!mayWrite()) {
      throw new KubeError(0, 'NotLeading', 'Nothing was written: this process does not hold the lease.');
    }
  };
  return {
    list: (...request) => api.list(...request),
    watch: (...request) => api.watch(...request),
    get: (...request) => api.get(...request),
    create: async (...request) => {
      guard();
      return await api.create(...request);
    },
    applyStatus: async (...request) => {
      guard();
      return await api.applyStatus(...request);
    },
    patch: async (...request) => {
      guard();
      return await api.patch(...request);
    },
    replace: async (...request) => {
      guard();
      return await api.replace(...request);
    },
    delete: async (...request) => {
      guard();
      await api.delete(...request);
    },
  };
}
