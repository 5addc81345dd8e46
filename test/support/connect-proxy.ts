import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** An HTTP proxy that lets TLS through to one server, whatever it is asked for. */
export interface ConnectProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** What it was asked to lead to, and by whom. */
  readonly asked: readonly { readonly target: string; readonly by: string }[];
}

/** @param password where given, whoever comes without "ann" and it is sent away with 407 */
export async function connectProxy(port: number, password?: string): Promise<ConnectProxy> {
  const asked: { target: string; by: string }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on('connect', ({ url = '', headers }, near: Socket) => {
    const [, credentials = ''] = (headers['proxy-authorization'] ?? '').split(' ');
    const by = Buffer.from(credentials, 'base64').toString();
    asked.push({ target: url, by });
    if (password !== undefined && by !== `ann:${password}`) {
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
      return;
    }
    const far = connect(port, '127.0.0.1', () => {
      near.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      far.pipe(near).pipe(far);
    });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
