import { type Html, html } from '../../../../base/text/html.ts';
import type { SegmentReport } from '../report.ts';
import { figures, picture, point, tone } from './picture.ts';
import { customersInWords, intervalInWords, rateInWords, shortened, WITHHELD } from './words.ts';

const WIDTH = 360;
const ROW = 46;
const TOP = 22;
const LEFT = 4;
const SPAN = WIDTH - 2 * LEFT;

/** Proxy churn of each segment with its interval, the riskiest first, and the average as a line. */
export function riskBySegment(
  { profiles, everybody }: Pick<SegmentReport, 'profiles' | 'everybody'>,
  places: ReadonlyMap<number, number>,
): Html {
  const sorted = profiles.toSorted(
    (one, other) => (other.proxyChurn?.rate ?? -1) - (one.proxyChurn?.rate ?? -1) || one.segment - other.segment,
  );
  const across = (share: number) => LEFT + share * SPAN;
  const height = TOP + sorted.length * ROW + 4;
  const shapes = sorted.map(({ name, segment, proxyChurn }, row) => {
    const top = TOP + row * ROW;
    const middle = top + 28;
    const words = html`<text x="${LEFT}" y="${top + 13}">${shortened(name, 38)}</text><text x="${WIDTH - LEFT}" y="${top + 13}" text-anchor="end">${rateInWords(proxyChurn)}</text>`;
    if (proxyChurn === undefined) return words;
    const [low, high] = [point(across(proxyChurn.low)), point(across(proxyChurn.high))];
    return html`${words}<rect class="${tone(places.get(segment) ?? 0)}" x="${LEFT}" y="${middle - 8}" width="${point(Math.max(proxyChurn.rate * SPAN, 1))}" height="16" rx="3"/><path class="whisker" d="M${low} ${middle}H${high}M${low} ${middle - 5}v10M${high} ${middle - 5}v10"/>`;
  });
  const average = everybody.proxyChurn;
  const line =
    average === undefined
      ? html``
      : html`<path class="average" d="${sorted.map((_, row) => `M${point(across(average.rate))} ${TOP + row * ROW + 17}v22`).join('')}"/><text x="${point(across(average.rate))}" y="12" text-anchor="${average.rate > 0.7 ? 'end' : average.rate < 0.3 ? 'start' : 'middle'}">everybody ${rateInWords(average)}</text>`;
  const description = sorted.map(({ name, proxyChurn }) => `${name}: ${rateInWords(proxyChurn)}`).join('; ');
  return html`${picture({ id: 'risk', title: 'Proxy churn of each segment', description: `${description}. Everybody: ${rateInWords(average)}.`, width: WIDTH, height, shapes: [...shapes, line] })}
${figures({
  caption: 'Proxy churn by segment',
  heads: ['Segment', 'Customers', 'Proxy churn', '95 % interval'],
  rows: [...sorted, { name: 'Everybody', ...everybody }].map(({ name, customers, proxyChurn }) => [
    name,
    customersInWords(customers),
    rateInWords(proxyChurn),
    proxyChurn === undefined ? WITHHELD : intervalInWords(proxyChurn),
  ]),
})}`;
}
