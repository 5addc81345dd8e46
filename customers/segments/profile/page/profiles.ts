import { type Html, html } from '../../../../base/text/html.ts';
import { featureOf } from '../../features.ts';
import { shareInWords } from '../../words.ts';
import type { ProfileWithRule, SegmentReport } from '../report.ts';
import { figureInWords, transformed } from '../traits.ts';
import { figures, picture, point, tone } from './picture.ts';
import { customersInWords, intervalInWords, rateInWords, WITHHELD } from './words.ts';

const WIDTH = 320;
const ROW = 44;
const LEFT = 8;
/** Standard deviations to either side that are drawn; what is beyond is at the edge. */
const REACH = 2.5;

/** A card for each segment: what it is, what sets it apart, what to do, and its quartiles beside everybody's. */
export function profileCards(report: SegmentReport, places: ReadonlyMap<number, number>): Html {
  return html`${report.profiles.map((profile) => profileCard(profile, report, places.get(profile.segment) ?? 0))}`;
}

function profileCard(profile: ProfileWithRule, report: SegmentReport, place: number): Html {
  const { segment, name, rule, todaysRule, traits, play, customers, share, proxyChurn } = profile;
  const churn = proxyChurn === undefined ? WITHHELD : `${rateInWords(proxyChurn)} (${intervalInWords(proxyChurn)})`;
  const size = `${customersInWords(customers)}${share === undefined ? '' : ` (${shareInWords(share)})`}`;
  return html`<article class="card" aria-labelledby="segment-${segment}">
<h3 id="segment-${segment}"><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${tone(place)}" width="10" height="10" rx="2"/></svg>${name} <span class="quiet">segment ${segment}</span></h3>
${todaysRule === undefined ? html`` : html`<p class="quiet">The name is from when the segment was new. By today's figures it would be called ${todaysRule}.</p>`}
<dl class="facts"><div><dt>Customers</dt><dd>${size}</dd></div><div><dt>Proxy churn (95 % interval)</dt><dd>${churn}</dd></div></dl>
<h4>What sets it apart</h4>
${traits.length === 0 ? html`<p>Nothing that can be told: it is near everybody's in all features, or too few.</p>` : html`<ul>${traits.map(({ sentence }) => html`<li>${sentence}</li>`)}</ul>`}
<h4>Who is in it</h4>
<p>${rule ?? 'No rule tells it.'}</p>
<h4>What to do</h4>
<p>${play === undefined ? 'Nothing is advised for so few.' : `${play.offer} (by ${play.channel})`}</p>
${quartilePicture(profile, report, place)}
</article>`;
}

function quartilePicture({ segment, name, quartiles }: ProfileWithRule, report: SegmentReport, place: number): Html {
  const { everybody, transforms, currency } = report;
  const rows = transforms.flatMap((transform) => {
    const { feature } = transform;
    const [own, all] = [quartiles[feature], everybody.quartiles[feature]];
    return own === undefined || all === undefined ? [] : [{ transform, feature, own, all }];
  });
  if (rows.length === 0) return html``;
  const shapes = rows.map(({ transform, feature, own, all }, index) => {
    const at = (value: number) => {
      const z = Math.min(Math.max(transformed(transform, value), -REACH), REACH);
      return LEFT + ((z + REACH) / (2 * REACH)) * (WIDTH - 2 * LEFT);
    };
    const middle = index * ROW + 30;
    const [low, high] = [at(all.lower), at(all.upper)];
    return html`<text x="${LEFT}" y="${index * ROW + 14}">${featureOf(feature).label}</text>
<rect class="range" x="${point(low)}" y="${middle - 8}" width="${point(Math.max(high - low, 2))}" height="16" rx="3"/>
<path class="average" d="M${point(at(all.median))} ${middle - 8}v16"/>
<path class="whisker" d="M${point(at(own.lower))} ${middle}H${point(at(own.upper))}"/>
<circle class="${tone(place)}" cx="${point(at(own.median))}" cy="${middle}" r="6"/>`;
  });
  const words = (value: number, feature: string) => figureInWords(value, feature, currency);
  const description = rows
    .map(
      ({ feature, own, all }) =>
        `${featureOf(feature).label}: ${words(own.median, feature)}, everybody ${words(all.median, feature)}`,
    )
    .join('; ');
  return html`${picture({ id: `quartiles-${segment}`, title: `${name} against everybody`, description, width: WIDTH, height: rows.length * ROW + 4, shapes })}
${figures({
  caption: `${name} against everybody`,
  heads: ['Feature', 'Lower quartile', 'Median', 'Upper quartile', "Everybody's median"],
  rows: rows.map(({ feature, own, all }) => [
    featureOf(feature).label,
    ...[own.lower, own.median, own.upper, all.median].map((value) => words(value, feature)),
  ]),
})}`;
}
