import autocannon from 'autocannon';

/** What the generator of requests is told, as one JSON argument, and what it prints, as one JSON line. */
export interface LoadOrder {
  readonly url: string;
  readonly paths: readonly string[];
  readonly token: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Load {
  /** Answers a second. */
  readonly rps: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests that were not answered, or with another status than 200. */
  readonly failed: number;
}

if (import.meta.main) {
  const { url, paths, token, connections, seconds } = JSON.parse(process.argv[2] ?? '') as LoadOrder;
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    headers: { authorization: `Bearer ${token}` },
    requests: paths.map((path) => ({ method: 'GET', path })),
  });
  const load: Load = {
    rps: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx,
  };
  process.stdout.write(`${JSON.stringify(load)}\n`);
}
