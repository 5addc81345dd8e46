import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

/** SSLRequest of Postgres' protocol, version 3: length 8, code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

export interface TlsFront extends AsyncDisposable {
  readonly port: number;
}

/** A certificate for localhost that signs itself, `NAME.crt`, and its key, `NAME.key`. */
export async function writeCertificate(folder: string, name: string): Promise<void> {
  const request = [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
    ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
  ];
  await promisify(execFile)('openssl', request, { timeout: 60_000 });
}

/**
 * Speaks TLS with the certificate `front` of a folder, in front of a Postgres that listens on a Unix socket.
 * @param options the certificate that a client has to have, if any
 */
export async function openTlsFront(
  folder: string,
  socketPath: string,
  { knows }: { readonly knows?: string } = {},
): Promise<TlsFront> {
  const identity = {
    key: await readFile(join(folder, 'front.key')),
    cert: await readFile(join(folder, 'front.crt')),
    ...(knows === undefined ? {} : { requestCert: true, ca: await readFile(join(folder, `${knows}.crt`)) }),
  };
  const open = new Set<Socket>();
  const secured = createTlsServer(identity, (secure) => {
    const upstream = connect(socketPath);
    secure.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
    upstream.on('error', () => secure.destroy()).on('close', () => secure.destroy());
    secure.pipe(upstream).pipe(secure);
  });
  const server = createServer((client) => {
    open.add(client);
    client.on('error', () => client.destroy()).on('close', () => open.delete(client));
    client.once('data', (request: Buffer) => {
      if (!request.equals(SSL_REQUEST)) {
        client.destroy();
        return;
      }
      client.write('S');
      secured.emit('connection', client);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const client of open) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
