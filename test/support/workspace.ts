import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { literal, openEngine } from '../../base/duckdb/engine.ts';
import { main } from '../../cli/main.ts';
import type { RunnablePipelines } from '../../jobs/stages.ts';
import type { Providers } from '../../providers/registry.ts';
import { writeModel } from './models.ts';
import { identityModel, linearModel } from './onnx.ts';

/** A Monday slot, and a moment after it. */
export const SLOT = '2026-11-23T02:00:00Z';
export const NOW = '2026-11-23T09:30:00Z';

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with everything that goes to stderr, as it goes: a place to pull the plug from. */
  readonly watch?: (text: string, abort: AbortController) => void;
  readonly terminal?: boolean;
  readonly providers?: Providers;
  readonly runnable?: RunnablePipelines;
  readonly stdoutIsTerminal?: boolean;
  /** Milliseconds; the machine's clock unless given. */
  readonly elapsed?: () => number;
}

/** A folder with a small business in it: customers, two models, and room for a program. */
export interface Workspace extends AsyncDisposable {
  readonly folder: string;
  readonly data: string;
  path(name: string): string;
  /** Writes a manifest and resolves to its path. */
  program(changes?: ProgramChanges, file?: string): Promise<string>;
  /** Writes `customers.parquet`: 400 customers of whom 100 pass every filter of the program; SQL changes some. */
  customers(change?: string): Promise<void>;
  /** Runs a command line in this process, on the workspace's data folder. */
  holdfast(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** Changes to the spec; a function gets the spec and may do to it what it likes. */
export type ProgramChanges = (spec: ProgramSpec) => void;

// biome-ignore lint: what a person writes by hand has no type.
export type ProgramSpec = Record<string, any>;

export async function workspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  const data = join(folder, 'state');
  const path = (name: string) => join(folder, name);
  const models = [
    await pinnedModel(folder, linearModel([-4, 1], 3), {
      modelId: 'risk',
      features: ['engagement_score', 'support_tickets'],
    }),
    await pinnedModel(folder, identityModel(3), {
      modelId: 'effect',
      features: ['discount_sensitivity', 'feature_usage', 'engagement_score'],
      kinds: ['discount', 'upgrade', 'personal_call'],
    }),
  ];
  const self: Workspace = {
    folder,
    data,
    path,
    async program(changes = () => {}, file = 'program.yaml') {
      const spec = structuredClone(programSpec(models));
      changes(spec);
      const manifest = {
        apiVersion: 'holdfast.dev/v1alpha1',
        kind: 'RetentionProgram',
        metadata: { name: 'keep' },
        spec,
      };
      await writeFile(path(file), stringify(manifest));
      return path(file);
    },
    async customers(change = 'SELECT * FROM customers') {
      await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: folder });
      await engine.run(CUSTOMERS);
      await engine.run(`COPY (${change}) TO ${literal(path('customers.parquet'))} (FORMAT parquet)`);
    },
    holdfast: (args, options = {}) => holdfast([...args, ...dataOption(args, data)], options),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  await self.customers();
  return self;
}

/** A model whose JSON the program pins, as `init` does. */
async function pinnedModel(folder: string, bytes: Uint8Array, manifest: Parameters<typeof writeModel>[2]) {
  const model = await writeModel(folder, bytes, manifest);
  const beside = await readFile(join(folder, `${model.modelId}.json`));
  return { ...model, manifestSha256: createHash('sha256').update(beside).digest('hex') };
}

/** Runs a command line in this process; it sees no environment but the one given. */
export async function holdfast(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const abort = new AbortController();
  let stdout = '';
  let stderr = '';
  const status = await main(args, {
    stdout: { isTTY: options.stdoutIsTerminal === true, write: (text) => (stdout += text) },
    stderr: {
      isTTY: options.terminal === true,
      write: (text) => {
        stderr += text;
        options.watch?.(text, abort);
      },
    },
    environment: options.environment ?? {},
    signal: abort.signal,
    now: () => new Date(NOW),
    elapsed: options.elapsed ?? (() => performance.now()),
    ...(options.providers === undefined ? {} : { providers: options.providers }),
    ...(options.runnable === undefined ? {} : { runnable: options.runnable }),
  });
  return { status, stdout, stderr };
}

/** Commands with state work on the workspace's own, unless the test names another. */
function dataOption(args: readonly string[], data: string): string[] {
  const takesData =
    ['run', 'retry', 'backfill', 'validate', 'explain', 'clean', 'prune', 'current', 'candidates', 'discard'].includes(
      args[0] ?? '',
    ) && !args.includes('--data');
  return takesData ? ['--data', data] : [];
}

/** 400 customers in four groups of 100: untrusted, without signals, of little value, and candidates. */
const CUSTOMERS = `
  CREATE TABLE customers AS
  SELECT
    printf('C%04d', n) AS customer_id,
    'US' AS marketplace,
    'active' AS account_status,
    n >= 100 AS verified,
    CASE WHEN n >= 200 THEN -0.5 ELSE 0.1 END AS engagement_change,
    CASE WHEN n >= 200 THEN 1.0 ELSE 4.0 END AS login_frequency,
    4.0 AS historical_avg,
    30.0 AS days_since_last_purchase,
    CASE WHEN n >= 300 THEN 900.0 ELSE 100.0 END AS lifetime_value,
    'premium' AS subscription_tier,
    (n % 10) / 10.0 AS engagement_score,
    (n % 3)::DOUBLE AS support_tickets,
    (n % 7) / 7.0 AS discount_sensitivity,
    (n % 5) / 5.0 AS feature_usage,
    false AS opted_out
  FROM range(400) AS numbers (n)`;

function programSpec(models: readonly object[]): ProgramSpec {
  return {
    programId: 'keep',
    programName: 'Keep',
    marketplaces: ['US'],
    dataConnectors: [
      { connectorId: 'shop', type: 'duckdb', config: { path: 'customers.parquet', query: 'SELECT * FROM customers' } },
    ],
    scoringModels: models,
    filterChain: [
      { filterId: 'trust', type: 'trust', order: 1 },
      {
        filterId: 'churn-signal',
        type: 'business-rule',
        order: 2,
        parameters: { minEngagementDecline: 0.3, maxLoginFrequencyRatio: 0.5, minSignalsRequired: 2 },
      },
      {
        filterId: 'customer-value',
        type: 'business-rule',
        order: 3,
        parameters: { minLifetimeValue: 500, minSubscriptionTier: 'premium' },
      },
      { filterId: 'eligibility', type: 'eligibility', order: 4 },
    ],
    offerStrategy: {
      segments: [
        { riskLevel: 'critical', offerType: 'premium', discount: 50, duration: 6 },
        { riskLevel: 'high', offerType: 'standard', discount: 30, duration: 3 },
        { riskLevel: 'medium', offerType: 'engagement', discount: 15, duration: 1 },
      ],
    },
    batchSchedule: 'cron(0 2 ? * MON *)',
  };
}
