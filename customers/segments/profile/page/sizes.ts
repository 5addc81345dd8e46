import { type Html, html } from '../../../../base/text/html.ts';
import { shareInWords } from '../../words.ts';
import type { SegmentReport } from '../report.ts';
import type { Told } from '../withheld.ts';
import { figures, picture, point, tone } from './picture.ts';
import { customersInWords, dayInWords, monthInWords } from './words.ts';

const WIDTH = 640;
const TALL = 220;
const TOP = 10;

/** Shares of the segments at each snapshot, one column each; of what is withheld there is a gap. */
export function sizesOverTime({ history }: Pick<SegmentReport, 'history'>, places: ReadonlyMap<number, number>): Html {
  const wide = WIDTH / Math.max(history.length, 1);
  const shapes = history.flatMap(({ date, customers: total = 0, sizes }, index) => {
    let bottom = TOP + TALL;
    const left = index * wide + wide * 0.12;
    const parts = sizes.map(({ segment, name, customers }) => {
      const height = total === 0 ? 0 : ((customers ?? 0) / total) * TALL;
      bottom -= height;
      const words = `${name}, ${dayInWords(date)}: ${customersInWords(customers)}`;
      return html`<rect class="${tone(places.get(segment) ?? 0)}" x="${point(left)}" y="${point(bottom)}" width="${point(wide * 0.76)}" height="${point(Math.max(height - 1, 0))}"><title>${words}</title></rect>`;
    });
    // With many snapshots every second or third day is written, the last one always.
    const step = Math.ceil(history.length / 7);
    const isWritten = (history.length - 1 - index) % step === 0;
    const label = html`<text x="${point(left + wide * 0.38)}" y="${TOP + TALL + 24}" text-anchor="middle">${monthInWords(date)}</text>`;
    return isWritten ? [...parts, label] : parts;
  });
  const names = new Map(history.flatMap(({ sizes }) => sizes.map(({ segment, name }) => [segment, name] as const)));
  const last = history.at(-1);
  const description = `A column for each of ${history.length} snapshots. At the last one: ${(last?.sizes ?? [])
    .map(({ name, customers }) => `${name} ${shareOf(customers, last?.customers)}`)
    .join(', ')}.`;
  return html`${picture({ id: 'sizes', title: 'Size of each segment over time', description, width: WIDTH, height: TALL + 44, shapes })}
<ul class="legend">${[...names].map(([segment, name]) => html`<li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${tone(places.get(segment) ?? 0)}" width="10" height="10" rx="2"/></svg>${name}</li>`)}</ul>
${figures({
  caption: 'Customers by segment and snapshot',
  heads: ['Segment', ...history.map(({ date }) => dayInWords(date))],
  rows: [...names].map(([segment, name]) => [
    name,
    ...history.map(({ sizes }) => {
      const found = sizes.find((one) => one.segment === segment);
      return found === undefined ? '–' : customersInWords(found.customers);
    }),
  ]),
})}`;
}

const shareOf = (customers: Told, total: Told): string =>
  customers === undefined || !total ? customersInWords(undefined) : shareInWords(customers / total);
