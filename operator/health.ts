import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MetricName, metricsPage } from './metrics.ts';

/** What the operator tells about itself over HTTP. */
export interface Health {
  /** What could not be listed yet, in words. A replica that waits to lead misses nothing and is ready, too. */
  readonly missing: () => readonly string[];
  readonly metrics: () => Readonly<Record<MetricName, number>>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `/healthz`, `/readyz`, and `/metrics` in the text format of Prometheus. */
export async function serveHealth(port: number, { missing, metrics }: Health): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string) =>
      response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return answer(200, 'ok\n');
      case '/readyz':
        return missing().length === 0 ? answer(200, 'ok\n') : answer(503, `waiting for ${missing().join(', ')}\n`);
      case '/metrics':
        return answer(200, metricsPage(metrics()));
      default:
        return answer(404, 'not found\n');
    }
  });
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
