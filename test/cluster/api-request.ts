import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint: whatever the API server says.
  readonly body: any;
}

/** Asks the API server as it is asked on the wire, without the operator's own client in between. */
export interface ApiRequest {
  (method: string, path: string, body?: string | object, contentType?: string): Promise<ApiAnswer>;
}

/**
 * @param caFile certificate that the server must show
 * @param agent keeps connections; without it each request has one of its own
 */
export function apiRequest(options: {
  readonly url: string;
  readonly token: string;
  readonly caFile: string;
  readonly agent?: https.Agent;
}): ApiRequest {
  const ca = readFileSync(options.caFile);
  return (method, path, body, contentType = typeof body === 'string' ? 'application/yaml' : 'application/json') =>
    new Promise((resolve, reject) => {
      const content = typeof body === 'object' ? JSON.stringify(body) : body;
      const headers = {
        Authorization: `Bearer ${options.token}`,
        Accept: 'application/json',
        ...(content === undefined ? {} : { 'Content-Type': contentType }),
      };
      const call = https.request(new URL(path, options.url), {
        method,
        headers,
        ca,
        timeout: 30_000,
        agent: options.agent ?? false,
      });
      call.once('timeout', () => call.destroy(new Error(`${method} ${path}: no answer`)));
      call.once('error', reject);
      call.once('response', (response) => {
        const status = response.statusCode ?? 0;
        text(response).then((answer) => resolve({ status, body: parsed(answer) }), reject);
      });
      call.end(content);
    });
}

function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return answer;
  }
}
