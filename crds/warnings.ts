import { scheduleEnd } from '../base/schedules/index.ts';
import { amountOf } from '../base/schema/quantity.ts';
import { PIPELINES, type Pipelines, pipelinesOf, schedulesIn } from '../contract/pipelines.ts';
import { RISK_LEVELS } from '../customers/columns/risk-levels.ts';
import { loadedSchemes } from '../providers/models/index.ts';
import { PROVIDERS, type Providers } from '../providers/registry.ts';
import type { Finding } from './fault.ts';
import type { RetentionProgramSpec } from './retention-program.ts';

/** What a person should know about a valid program: what is not built yet, and what will do less than it seems to. */
export function programWarnings(
  spec: RetentionProgramSpec,
  now: Date | undefined,
  providers: Providers = PROVIDERS,
  pipelines: Pipelines = PIPELINES,
): Finding[] {
  return [
    ...unavailableProviders(spec, providers),
    ...silentChannels(spec),
    ...unpinnedMeanings(spec),
    ...withoutEffect(spec),
    ...tooSmall(spec),
    ...(now === undefined ? [] : over(spec, now, pipelines)),
  ];
}

function over(spec: RetentionProgramSpec, now: Date, pipelines: Pipelines): Finding[] {
  return schedulesIn(spec, pipelinesOf('program', pipelines)).flatMap(({ schedule, field }) => {
    const end = scheduleEnd(schedule, spec.timeZone, now);
    return end === undefined ? [] : [warning(field, end)];
  });
}

/** Connectors and models that the schema knows and this version cannot use. */
export function unavailableProviders(
  { dataConnectors, scoringModels }: RetentionProgramSpec,
  { warehouses, models }: Providers = PROVIDERS,
): Finding[] {
  const usable = warehouses.filter(({ load }) => load !== undefined).map(({ type }) => type);
  const schemes = loadedSchemes(models);
  return [
    ...dataConnectors.flatMap(({ type }, index) =>
      usable.includes(type)
        ? []
        : [
            warning(
              ['dataConnectors', index, 'type'],
              `${type} is not available yet: a run ends with HF_PROVIDER_UNAVAILABLE`,
            ),
          ],
    ),
    ...scoringModels.flatMap(({ endpoint }, index) => {
      const scheme = endpoint.split('://', 1)[0] ?? '';
      if (schemes.includes(scheme)) return [];
      const reason = `${scheme}:// is not available yet: a run ends with HF_PROVIDER_UNAVAILABLE`;
      return [warning(['scoringModels', index, 'endpoint'], reason)];
    }),
  ];
}

function unpinnedMeanings({ scoringModels }: RetentionProgramSpec): Finding[] {
  return scoringModels.flatMap(({ endpoint, manifestSha256 }, index) =>
    endpoint.startsWith('onnx://') && manifestSha256 === undefined
      ? [
          warning(
            ['scoringModels', index],
            'the JSON beside the model, which says what its outputs mean, is not pinned: `holdfast models check` prints its manifestSha256',
          ),
        ]
      : [],
  );
}

/** Less memory than a program of Node starts in, such as of `512m`, which is half a byte. */
const LEAST_MEMORY = 64 * 2 ** 20;

function tooSmall({ execution: { memory } }: RetentionProgramSpec): Finding[] {
  const bytes = amountOf(memory);
  const reason = `${memory} is ${bytes} bytes, in which no task starts on a cluster: write 512Mi or 2Gi`;
  return bytes < LEAST_MEMORY ? [warning(['execution', 'memory'], reason)] : [];
}

function silentChannels({ channels }: RetentionProgramSpec): Finding[] {
  return channels.flatMap(({ type, enabled }, index) =>
    enabled ? [warning(['channels', index], `nothing is sent by ${type} yet: offers are decided and stored only`)] : [],
  );
}

function withoutEffect({ holdout, offerStrategy }: RetentionProgramSpec): Finding[] {
  const findings: Finding[] = [];
  if (holdout.share === 0) {
    findings.push(warning(['holdout', 'share'], 'nobody is held out, so the effect of the offers cannot be measured'));
  }
  if (holdout.share === 1) {
    findings.push(warning(['holdout', 'share'], 'everybody is held out: nobody gets an offer'));
  }
  if (offerStrategy.enabled && offerStrategy.segmentedOffers) {
    const covered = new Set(offerStrategy.segments.map((segment) => segment.riskLevel));
    const bare = RISK_LEVELS.filter((level) => !covered.has(level));
    if (bare.length > 0)
      findings.push(warning(['offerStrategy', 'segments'], `no offer for risk level ${bare.join(', ')}`));
  }
  return findings;
}

function warning(path: Finding['path'], reason: string): Finding {
  return { path: ['spec', ...path], reason, class: 'runtime' };
}
