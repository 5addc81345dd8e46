import { request } from 'node:http';
import { type ApiOptions } from '../../api/application.ts';
import { accessTo } from '../../api/http/access.ts';
import { jsonLog } from '../../api/http/log.ts';
import { type Listening, type ListenOptions, serveApi } from '../../api/server.ts';
import type { Database } from '../../database/client/database.ts';
import { transaction } from '../../database/client/transaction.ts';

export const TOKEN = 'a-token-that-nobody-guesses';
/** Of the namespace shop alone. */
export const SHOP_TOKEN = 'a-token-of-the-shop-alone';
const MONDAY = new Date('2026-11-23T02:00:00Z');
const NOW = new Date('2026-11-23T09:30:00Z');
const WEEK_MS = 7 * 86_400_000;
export const weeks = (n: number) => new Date(MONDAY.getTime() + n * WEEK_MS);

/** The API of a test's own, over real HTTP. */
export interface TestApi extends AsyncDisposable, Listening {
  /** Everything that was logged. */
  readonly log: () => string;
  /** Changes what time it is. */
  setNow(now: Date): void;
  /** With the token, unless other headers are given. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint: what an answer has is what a test finds out.
  readonly json: any;
}

export async function openApi(database: Database, options: Partial<ApiOptions & ListenOptions> = {}): Promise<TestApi> {
  let now = NOW;
  let written = '';
  let secrets = 0;
  const log = jsonLog(
    (text) => (written += text),
    () => now,
  );
  const listening = await serveApi(
    {
      database,
      access: accessTo({
        grants: [
          { token: TOKEN, scope: 'every' },
          { token: SHOP_TOKEN, scope: new Set(['shop']) },
        ],
        hosts: ['holdfast.example'],
        cookie: 'holdfast_session',
        now: () => now,
        secret: () => `a-secret-that-nobody-guesses-${secrets++}`,
      }),
      log,
      version: '1.2.3',
      namespace: 'shop',
      now: () => now,
      elapsed: () => performance.now(),
      ...options,
    },
    { host: '127.0.0.1', port: 0, drainSeconds: 0, ...options },
  );
  return {
    ...listening,
    log() {
      log.flush();
      return written;
    },
    setNow(changed) {
      now = changed;
    },
    get: (path, headers = { authorization: `Bearer ${TOKEN}` }) => answerOf(`${listening.url}${path}`, { headers }),
    [Symbol.asyncDispose]: () => listening.stop(),
  };
}

export async function answerOf(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  const text = await response.text();
  const isJson = /json(?!l)/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** A request as `fetch` would not send it: any method, path and header, as they are written. */
export function rawRequest(
  port: number,
  options: { readonly method?: string; readonly path: string; readonly headers?: Readonly<Record<string, string>> },
): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent: false, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

export interface TestBatch {
  readonly namespace?: string;
  readonly program?: string;
  readonly run: string;
  readonly slot?: Date;
  readonly sequence?: number;
  readonly customers?: number;
  /** SQL of the risk of customer n; its level follows. */
  readonly risk?: string;
  readonly expiresAt?: Date;
  /** SQL of what the risk level of customer n gets, in place of a tier for each level. */
  readonly tier?: string;
  /** Whether the program offers anything to any level; null where an earlier version did not say. */
  readonly makesOffers?: boolean | null;
  /** Whether it becomes the current batch, as is the rule. */
  readonly current?: boolean;
  readonly stages?: readonly object[];
  readonly phase?: string;
}

/**
 * Stores a batch: customers C00001 …, the third of each three recommended an upgrade, the tenth held out, with tiers by
 * level.
 */
export async function storeBatch(database: Database, batch: TestBatch): Promise<void> {
  const { namespace = 'shop', program = 'churn', run, slot = MONDAY, sequence = 1, current = true } = batch;
  const key = [namespace, program, run];
  const phase = batch.phase ?? 'Succeeded';
  await transaction(database, { doing: 'make a batch' }, async (client) => {
    await client.query('INSERT INTO holdfast.programs VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
      namespace,
      program,
      sequence,
    ]);
    await client.query(
      `INSERT INTO holdfast.runs (namespace, program, run, pipeline, slot, sequence, attempt, trigger, revision, phase,
         started_at, finished_at, published_at, stages, error_code, error_message, makes_offers)
       VALUES ($1, $2, $3, 'batch', $4, $5, 1, 'schedule', 'r', $6, $4, $4, $7, $8, $9, $10, $11)`,
      [
        ...key,
        slot,
        sequence,
        phase,
        current ? slot : null,
        JSON.stringify(batch.stages ?? []),
        phase === 'Failed' ? 'HF_EXTRACT_EMPTY' : null,
        phase === 'Failed' ? 'the query returned no usable row' : null,
        batch.makesOffers === undefined ? true : batch.makesOffers,
      ],
    );
    await client.query(
      `INSERT INTO holdfast.candidates
         (namespace, program, run, customer_id, slot, churn_signals, risk_reasons, risk_score, risk_level, offer_tier, offer_kind, arm,
          epoch, created_at, expires_at)
       SELECT $1, $2, $3, 'C' || lpad(n::text, 5, '0'), $4, '{inactivity}',
         '{"subscription_tenure below typical",streaming_tv_yes}', risk,
         CASE WHEN risk >= 0.8 THEN 'critical' WHEN risk >= 0.6 THEN 'high' ELSE 'medium' END,
         ${batch.tier ?? "CASE WHEN risk >= 0.8 THEN 'premium' WHEN risk >= 0.6 THEN 'standard' ELSE 'engagement' END"},
         CASE WHEN n % 3 = 0 THEN 'upgrade' ELSE 'discount' END,
         CASE WHEN n % 10 = 0 THEN 'holdout' ELSE 'treatment' END, 1, $4, $5
       FROM (SELECT n, (${batch.risk ?? '0.4 + 0.6 * (n * 37 % 100) / 100.0'})::double precision AS risk
             FROM generate_series(1, $6::integer) AS n) AS risks`,
      [...key, slot, batch.expiresAt ?? new Date(slot.getTime() + 4 * WEEK_MS), batch.customers ?? 0],
    );
    if (!current) return;
    await client.query(
      `INSERT INTO holdfast.current_batches VALUES ($1, $2, $3, $4, 1, $5)
       ON CONFLICT (namespace, program) DO UPDATE SET slot = EXCLUDED.slot, sequence = EXCLUDED.sequence, run = EXCLUDED.run`,
      [namespace, program, slot, sequence, run],
    );
  });
}
