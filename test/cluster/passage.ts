import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a port on the loopback that can be cut, as a proxy or a network in between is. */
export interface Passage extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection; `closed`: and takes no new one until `open`. */
  cut(closed?: 'closed'): void;
  open(): void;
}

export async function openPassage(to: number): Promise<Passage> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((near) => {
    if (!isOpen) {
      near.destroy();
      return;
    }
    const far = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (closed?: 'closed') => {
    isOpen = closed === undefined;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut,
    open: () => {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      cut('closed');
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
