import type { GateResult } from '../gates.ts';
import type { Moves } from '../lineage.ts';
import type { FeatureTransform } from '../transform.ts';
import { type EverybodyProfile, type ProfileRequest, profilesOf, type SegmentProfile } from './profile.ts';
import { FEWEST, type Told, toldCounts } from './withheld.ts';
import { toldGates } from './withheld-gates.ts';
import { type Migration, type ToldMigration, toldMigration } from './withheld-migration.ts';

/** All that the page of a snapshot says, after what is withheld has been taken out. */
export interface SegmentReport {
  readonly series: string;
  /** Such as `2011-06-01`. */
  readonly snapshotDate: string;
  readonly currency?: string | undefined;
  /** Whether the snapshot is the current one, or was rejected. */
  readonly isPublished: boolean;
  readonly everybody: EverybodyProfile;
  readonly profiles: readonly ProfileWithRule[];
  readonly transforms: readonly FeatureTransform[];
  /** Groups outside the clustering, such as `Lapsed`. */
  readonly groups: readonly { readonly name: string; readonly customers: Told }[];
  /** Snapshots up to this one, the oldest first. */
  readonly history: readonly SnapshotSizes[];
  /** Undefined for the first snapshot, and where nothing of it may leave. */
  readonly migration?: (ToldMigration & { readonly since: string }) | undefined;
  readonly gates: readonly GateResult[];
  /** As `proxyChurnInWords` has it. */
  readonly proxyChurn: string;
}

export interface ProfileWithRule extends SegmentProfile {
  /** Who is in the segment, in words; undefined where no rule tells it. */
  readonly rule?: string | undefined;
}

export interface SnapshotSizes {
  readonly date: string;
  /** In all segments; what is withheld of them is in it. */
  readonly customers: Told;
  readonly sizes: readonly { readonly segment: number; readonly name: string; readonly customers: Told }[];
}

/** All figures of a snapshot, none withheld. */
export interface ReportRequest
  extends ProfileRequest,
    Pick<SegmentReport, 'series' | 'snapshotDate' | 'isPublished' | 'gates' | 'proxyChurn'> {
  /** Rules in words, by segment. */
  readonly rules: ReadonlyMap<number, string>;
  readonly groups: readonly { readonly name: string; readonly customers: number }[];
  /** Snapshots before this one, the oldest first. */
  readonly history: readonly {
    readonly date: string;
    readonly sizes: readonly { readonly segment: number; readonly name: string; readonly customers: number }[];
  }[];
  readonly migration?: (Migration & { readonly since: string; readonly moves: Moves }) | undefined;
}

/** What leaves of a snapshot, in page, tables and answers: no figure over fewer than ten customers, nor one that tells it. */
export function reportOf(request: ReportRequest): SegmentReport {
  const { segments, rules, migration, snapshotDate } = request;
  const { profiles, everybody } = profilesOf(request);
  const groups = toldCounts(request.groups.map(({ customers }) => customers));
  const moved = migration && toldMigration(migration, migration.moves);
  return {
    series: request.series,
    snapshotDate,
    currency: request.currency,
    isPublished: request.isPublished,
    everybody,
    profiles: profiles.map((profile, place) => {
      const isFew = (segments[place]?.figures.customers ?? 0) < FEWEST;
      return { ...profile, rule: isFew ? undefined : rules.get(profile.segment) };
    }),
    transforms: request.transforms,
    groups: request.groups.map(({ name }, place) => ({ name, customers: groups.counts[place] })),
    history: [
      ...request.history.map(({ date, sizes }) => {
        const { counts, total } = toldCounts(sizes.map(({ customers }) => customers));
        return { date, customers: total, sizes: sizes.map((size, place) => ({ ...size, customers: counts[place] })) };
      }),
      {
        date: snapshotDate,
        customers: everybody.customers,
        sizes: profiles.map(({ segment, name, customers }) => ({ segment, name, customers })),
      },
    ],
    migration: moved && migration && { ...moved, since: migration.since },
    gates: profiles.some(({ customers }) => customers === undefined) ? toldGates(request.gates) : request.gates,
    proxyChurn: request.proxyChurn,
  };
}
