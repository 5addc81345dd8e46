import { shareInWords } from './words.ts';

/** What a snapshot is judged by. Shares are of the clustered customers, from 0 to 1. */
export interface SnapshotFigures {
  readonly segments: readonly SegmentFigures[];
  /** Share of all clustered customers who are inactive by the proxy. */
  readonly proxyChurn: number;
  /** Undefined where there is one segment only. */
  readonly silhouette: number | undefined;
  /** Share of missing values, by feature. */
  readonly missing: readonly { readonly feature: string; readonly share: number }[];
  /** Beside the published snapshot before; undefined at the first one, and where the chain was begun anew. */
  readonly before: BeforeFigures | undefined;
  /** How the snapshot of one horizon ago turned out; undefined while none is old enough. */
  readonly forward: ForwardFigures | undefined;
}

export interface SegmentFigures {
  readonly id: number;
  readonly share: number;
  readonly proxyChurn: number;
  /** Of the rule that tells it best; undefined where there is none. */
  readonly rule: { readonly precision: number; readonly recall: number } | undefined;
}

export interface BeforeFigures {
  readonly silhouette: number | undefined;
  /** Adjusted Rand index of the previous model and this one, on this month's customers. */
  readonly modelAgreement: number;
  /** Adjusted Rand index of last month's labels and this month's, of who is in both: customers move as well. */
  readonly labelAgreement: number | undefined;
}

export interface ForwardFigures {
  /** Odds of inactivity in the horizon, riskiest segment against everybody; undefined where all or none were inactive. */
  readonly oddsRatio: number | undefined;
  /** Spearman's of proxy churn and what came, by segment; undefined where either is the same in all. */
  readonly rankCorrelation: number | undefined;
}

/** What is judged, and what it means to fail. */
export const GATES = {
  smallestSegment: { limit: 0.03, fails: 'reject', meaning: 'share of the smallest segment, at least' },
  lift: { limit: 2, fails: 'reject', meaning: 'proxy churn of the riskiest segment over the average, above' },
  modelAgreement: { limit: 0.7, fails: 'reject', meaning: 'agreement with the previous model (ARI), above' },
  interpretable: { limit: 0.75, fails: 'reject', meaning: "precision and recall of each segment's rule, at least" },
  largestSegment: { limit: 0.5, fails: 'alert', meaning: 'share of the largest segment, at most' },
  missing: { limit: 0.05, fails: 'alert', meaning: 'share of missing values of each feature, at most' },
  silhouetteDrop: { limit: 0.1, fails: 'alert', meaning: 'fall of the silhouette since the snapshot before, at most' },
  labelAgreement: { limit: 0.7, fails: 'report', meaning: "agreement with last month's labels (ARI), above" },
  forwardOdds: { limit: 2, fails: 'alert', meaning: 'odds of inactivity later, riskiest segment over all, at least' },
  forwardRank: { limit: 0.7, fails: 'alert', meaning: 'rank correlation of proxy churn with what came, at least' },
} as const satisfies Readonly<Record<string, GateDefinition>>;

export interface GateDefinition {
  readonly limit: number;
  readonly fails: 'reject' | 'alert' | 'report';
  readonly meaning: string;
}

export type GateName = keyof typeof GATES;

/** What a manifest says otherwise. */
export interface GateSettings {
  readonly limit?: number | undefined;
  readonly fails?: GateDefinition['fails'] | undefined;
  /** The snapshot is published whatever this gate says, which is recorded. */
  readonly waived?: boolean | undefined;
}

export interface GateResult {
  readonly gate: GateName;
  /** `NotJudgeable` fails as a failure does. */
  readonly outcome: 'Passed' | 'Failed' | 'NotApplicable' | 'NotJudgeable';
  readonly fails: GateDefinition['fails'];
  readonly waived: boolean;
  readonly limit: number;
  /** The worst of what was judged; undefined where there is nothing to judge. */
  readonly value: number | undefined;
  /** What was found, in a sentence. */
  readonly sentence: string;
  /** What to try, where it did not pass. */
  readonly advice?: string | undefined;
}

type Judged = Pick<GateResult, 'outcome' | 'value' | 'sentence' | 'advice'>;
type Judge = (figures: SnapshotFigures, limit: number) => Judged;

const JUDGES: Readonly<Record<GateName, Judge>> = {
  smallestSegment({ segments }, limit) {
    const smallest = least(segments, ({ share }) => share);
    if (smallest === undefined) return nothing('nobody was clustered');
    return judged(smallest.share >= limit, smallest.share, {
      sentence: `the smallest segment, ${smallest.id}, has ${shareInWords(smallest.share)} of the customers`,
      advice: 'try fewer segments, or a population of customers who were active more recently',
    });
  },
  lift({ segments, proxyChurn }, limit) {
    const riskiest = least(segments, (segment) => -segment.proxyChurn);
    if (riskiest === undefined) return nothing('nobody was clustered');
    const value = proxyChurn === 0 ? undefined : riskiest.proxyChurn / proxyChurn;
    if (proxyChurn > 0.5 || value === undefined) {
      return {
        outcome: 'NotJudgeable',
        value,
        sentence: `${shareInWords(proxyChurn)} of all customers are inactive: no segment can be told to be at more risk`,
        advice:
          proxyChurn > 0.5
            ? 'try a population of customers who were active more recently, or a longer inactivity'
            : 'try a shorter inactivity',
      };
    }
    return judged(value > limit, value, {
      sentence: `${shareInWords(riskiest.proxyChurn)} of segment ${riskiest.id} are inactive, ${value.toFixed(2)} times the average of ${shareInWords(proxyChurn)}`,
      advice: 'try a population of customers who were active more recently, or another number of segments',
    });
  },
  modelAgreement({ before }, limit) {
    if (before === undefined) return nothing('there is no published snapshot before');
    const { modelAgreement: value } = before;
    return judged(value > limit, value, {
      sentence: `the previous model and this one agree at ${value.toFixed(2)} (adjusted Rand index) on this month's customers`,
      advice: 'try the previous number of segments, or more restarts; rebaseline: true accepts that segments are new',
    });
  },
  interpretable({ segments }, limit) {
    const told = ({ rule }: SegmentFigures) => (rule === undefined ? 0 : Math.min(rule.precision, rule.recall));
    const worst = least(segments, told);
    if (worst === undefined) return nothing('nobody was clustered');
    const { rule } = worst;
    return judged(told(worst) >= limit, told(worst), {
      sentence:
        rule === undefined
          ? `no rule tells segment ${worst.id}`
          : `the rule of segment ${worst.id} has precision ${rule.precision.toFixed(2)} and recall ${rule.recall.toFixed(2)}`,
      advice: 'try fewer segments, or fewer features',
    });
  },
  largestSegment({ segments }, limit) {
    const largest = least(segments, ({ share }) => -share);
    if (largest === undefined) return nothing('nobody was clustered');
    return judged(largest.share <= limit, largest.share, {
      sentence: `the largest segment, ${largest.id}, has ${shareInWords(largest.share)} of the customers`,
      advice: 'try more segments, or leave out the feature that most customers share',
    });
  },
  missing({ missing }, limit) {
    const worst = least(missing, ({ share }) => -share);
    if (worst === undefined) return nothing('there are no features');
    return judged(worst.share <= limit, worst.share, {
      sentence: `${worst.feature} is missing for ${shareInWords(worst.share)} of the customers`,
      advice: `look at the source of ${worst.feature}`,
    });
  },
  silhouetteDrop({ silhouette, before }, limit) {
    if (before?.silhouette === undefined) return nothing('there is no silhouette of a snapshot before');
    if (silhouette === undefined) return { ...nothing('the silhouette is not defined'), outcome: 'NotJudgeable' };
    const value = before.silhouette - silhouette;
    return judged(value <= limit, value, {
      sentence: `the silhouette is ${silhouette.toFixed(2)}, after ${before.silhouette.toFixed(2)}`,
      advice: 'compare the distributions of the features with last month',
    });
  },
  labelAgreement({ before }, limit) {
    if (before?.labelAgreement === undefined) return nothing('there are no labels of a snapshot before');
    const { labelAgreement: value } = before;
    return judged(value > limit, value, {
      sentence: `last month's labels and this month's agree at ${value.toFixed(2)} (adjusted Rand index); customers move as well`,
    });
  },
  forwardOdds({ forward }, limit) {
    if (forward === undefined) return nothing('no snapshot is old enough');
    if (forward.oddsRatio === undefined) {
      return { ...nothing('all customers of a segment were inactive, or none'), outcome: 'NotJudgeable' };
    }
    return judged(forward.oddsRatio >= limit, forward.oddsRatio, {
      sentence: `the odds of inactivity later were ${forward.oddsRatio.toFixed(2)} times as high in the riskiest segment as among all`,
      advice: 'the proxy says little of what comes: try another inactivity',
    });
  },
  forwardRank({ forward }, limit) {
    if (forward === undefined) return nothing('no snapshot is old enough');
    if (forward.rankCorrelation === undefined) {
      return { ...nothing('proxy churn, or what came, is the same in all segments'), outcome: 'NotJudgeable' };
    }
    return judged(forward.rankCorrelation >= limit, forward.rankCorrelation, {
      sentence: `the segments' order by proxy churn and by what came agree at ${forward.rankCorrelation.toFixed(2)} (Spearman)`,
      advice: 'the proxy says little of what comes: try another inactivity',
    });
  },
};

/** What every gate says of a snapshot, in the order of `GATES`. */
export function judge(
  figures: SnapshotFigures,
  settings: Readonly<Partial<Record<GateName, GateSettings>>> = {},
): GateResult[] {
  return (Object.keys(GATES) as GateName[]).map((gate) => {
    const limit = settings[gate]?.limit ?? GATES[gate].limit;
    const fails = settings[gate]?.fails ?? GATES[gate].fails;
    const waived = settings[gate]?.waived ?? false;
    return { gate, fails, waived, limit, ...JUDGES[gate](figures, limit) };
  });
}

/** The gates that keep a snapshot from being published. */
export function rejections(results: readonly GateResult[]): GateResult[] {
  return results.filter((result) => result.fails === 'reject' && !result.waived && hasFailed(result));
}

/** The gates that are to be told to whoever runs the series: alerts, and what was waived. */
export function alerts(results: readonly GateResult[]): GateResult[] {
  return results.filter((result) => hasFailed(result) && (result.fails === 'alert' || result.waived));
}

const hasFailed = ({ outcome }: GateResult): boolean => outcome === 'Failed' || outcome === 'NotJudgeable';

function judged(passes: boolean, value: number, { sentence, advice }: Pick<Judged, 'sentence' | 'advice'>): Judged {
  return passes ? { outcome: 'Passed', value, sentence } : { outcome: 'Failed', value, sentence, advice };
}

const nothing = (sentence: string): Judged => ({ outcome: 'NotApplicable', value: undefined, sentence });

/** The thing of which `by` is least; the first of equals, undefined of none. */
function least<Thing>(things: readonly Thing[], by: (thing: Thing) => number): Thing | undefined {
  return things.reduce<Thing | undefined>(
    (found, thing) => (found === undefined || by(thing) < by(found) ? thing : found),
    undefined,
  );
}
