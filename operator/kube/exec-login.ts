import { type ExecCredential, type PluginWorld, runPlugin } from './exec-plugin.ts';
import type { ExecPlugin, KubeCluster } from './kubeconfig-file.ts';

/** The credential of a login, kept until it expires. */
export interface ExecLogin {
  /**
   * Runs the login unless its last credential still holds; who asks while it runs waits for the same one, which is ended when
   * nobody waits any more.
   * @throws as `runPlugin`; the signal's reason
   */
  credential(plugin: ExecPlugin, cluster: KubeCluster, signal: AbortSignal): Promise<ExecCredential>;
  /** The API server took it no more: the next to ask runs the login again. */
  forget(): void;
}

interface Running {
  readonly end: Promise<ExecCredential>;
  readonly giveUp: AbortController;
  waiting: number;
}

export function execLogin(world: Omit<PluginWorld, 'signal'>): ExecLogin {
  let held: ExecCredential | undefined;
  let running: Running | undefined;

  function begin(plugin: ExecPlugin, cluster: KubeCluster): Running {
    const giveUp = new AbortController();
    const end = runPlugin(plugin, cluster, { ...world, signal: giveUp.signal }).then(
      (credential) => {
        running = undefined;
        held = credential;
        return credential;
      },
      (error: unknown) => {
        running = undefined;
        throw error;
      },
    );
    return { end, giveUp, waiting: 0 };
  }

  return {
    async credential(plugin, cluster, signal) {
      signal.throwIfAborted();
      if (held !== undefined && !(held.expires !== undefined && held.expires <= world.clock.now())) return held;
      running ??= begin(plugin, cluster);
      const one = running;
      one.waiting += 1;
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await Promise.race([one.end, aborted.promise]);
      } finally {
        signal.removeEventListener('abort', abort);
        one.waiting -= 1;
        if (one.waiting === 0) {
          one.giveUp.abort(signal.reason);
          // It is gone before we are.
          await one.end.catch(() => {});
        }
      }
    },
    forget() {
      held = undefined;
    },
  };
}
