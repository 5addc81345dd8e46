import { unsuitable } from '../../../customers/training/unsuitable.ts';

/** How purchases lie in time. Days are texts like 2026-12-31. */
export interface Rhythm {
  readonly first: string;
  /** The newest that has come. */
  readonly newest: string;
  /** Purchases that followed another one of the same customer, and the days within which nine in ten of them did. */
  readonly gaps: number;
  readonly mostGaps: number;
}

/** What a person says. */
export interface CutHints {
  readonly cut?: string | undefined;
  readonly horizon?: number | undefined;
}

/** By which days customers are told apart into those who came back and those who did not. */
export interface Cut {
  /** Features are of purchases up to this day, the label of those after it. */
  readonly cut: string;
  /** Days after the cut in which a customer comes back, or has left. */
  readonly horizon: number;
  /** Days of purchases, up to the cut or the day that a file is of, that the model looks back on. */
  readonly lookback: number;
  /** Days within which somebody bought who is a customer still. */
  readonly active: number;
  /** A cut one horizon earlier, at which the same model is trained to be measured at the later one. */
  readonly earlier: string | undefined;
  /** Why this horizon and this cut, for people. */
  readonly reason: string;
}

const DAY = 86_400_000;
const HORIZONS = [7, 14, 30, 60, 90, 180, 365];
const USUAL_HORIZON = 90;
/** Fewest returns that say something of how long people stay away. */
const LEAST_GAPS = 30;
/** Parts of the time that the file covers: one after the cut, one before it to look back on, one for the earlier cut. */
const PARTS = 3;
const MOST_LOOKBACK = 730;
/** Horizons without a purchase after which somebody has left long ago. */
const ACTIVE_HORIZONS = 3;

export function daysFrom(earlier: string, later: string): number {
  return Math.round((Date.parse(later) - Date.parse(earlier)) / DAY);
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY).toISOString().slice(0, 10);
}

/**
 * Chooses horizon and cut, so that the label is of days that the file has, and there are days before to look back on.
 * A text says why there is none.
 * @throws HF_SOURCE_UNSUITABLE when what a person says does not fit the file
 */
export function chooseCut(rhythm: Rhythm, hints: CutHints): Cut | string {
  const { first, newest } = rhythm;
  const span = daysFrom(first, newest);
  const covers = `the file has purchases from ${first} to ${newest}`;
  if (hints.cut !== undefined && (hints.cut <= first || hints.cut >= newest))
    throw unsuitable(`--cut ${hints.cut}: ${covers}: give a day between them.`);
  const most = hints.cut === undefined ? Math.floor(span / PARTS) : daysFrom(hints.cut, newest);
  const wanted = hints.horizon === undefined ? proposeHorizon(rhythm, most) : given(hints.horizon);
  if (wanted === undefined)
    return `${covers}, which is too short to tell who comes back: ${PARTS * (HORIZONS[0] as number)} days are the least`;
  const { horizon, because } = wanted;
  const cut = hints.cut ?? plusDays(newest, -horizon);
  if (plusDays(cut, horizon) > newest)
    throw unsuitable(
      `--horizon ${horizon}: ${covers}; ${horizon} days after ${cut} are not over. Give an earlier --cut or a shorter --horizon.`,
    );
  const history = daysFrom(first, cut) + 1;
  if (history < horizon)
    throw unsuitable(
      `A cut at ${cut} leaves ${history} days of purchases to look back on, and ${horizon} days after it: ${covers}. ` +
        'Give a later --cut, or a shorter --horizon.',
    );
  const lookback = Math.min(history, MOST_LOOKBACK);
  const earlier = plusDays(cut, -horizon);
  const where =
    hints.cut === undefined ? `the cut is ${horizon} days before the newest purchase` : 'the cut is by --cut';
  return {
    cut,
    horizon,
    lookback,
    active: Math.min(lookback, ACTIVE_HORIZONS * horizon),
    earlier: daysFrom(first, earlier) + 1 >= horizon ? earlier : undefined,
    reason: `${because}; ${where}`,
  };
}

function given(horizon: number): { readonly horizon: number; readonly because: string } {
  return { horizon, because: `${horizon} days by --horizon` };
}

/** The least usual horizon within which nine in ten of those who came back did, if the file is long enough for it. */
function proposeHorizon({ gaps, mostGaps }: Rhythm, most: number): ReturnType<typeof given> | undefined {
  const possible = HORIZONS.filter((days) => days <= most);
  const longest = possible.at(-1);
  if (longest === undefined) return undefined;
  const isKnown = gaps >= LEAST_GAPS;
  const wanted = isKnown ? (HORIZONS.find((days) => days >= mostGaps) ?? Number(HORIZONS.at(-1))) : USUAL_HORIZON;
  const seen = isKnown
    ? `nine in ten of ${gaps} returns were within ${mostGaps} days`
    : `only ${gaps} returns, too few to tell how long people stay away, so ${USUAL_HORIZON} days are wanted`;
  const horizon = Math.min(wanted, longest);
  const short =
    horizon < wanted ? `, and the file is long enough for ${horizon} only, of the ${wanted} that would be wanted` : '';
  return { horizon, because: `${seen}${short}` };
}
