import { type Html, html } from '../../../../base/text/html.ts';
import type { GateResult } from '../../gates.ts';
import type { SegmentReport } from '../report.ts';
import { migrationPicture } from './migration.ts';
import { profileCards } from './profiles.ts';
import { riskBySegment } from './risk.ts';
import { sizesOverTime } from './sizes.ts';
import { STYLE } from './style.ts';
import { customersInWords, dayInWords, rateInWords, WITHHELD_NOTE } from './words.ts';

/**
 * The page of a snapshot as one file that asks for nothing: to be shown in a meeting, sent, or kept beside the export. It says
 * what it is given, so what is withheld has to be taken out before.
 */
export function segmentPage(report: SegmentReport): string {
  const { series, snapshotDate, profiles, everybody, groups, history, migration, gates } = report;
  const places = placesOf(report);
  const title = `Customer segments of ${series}, ${dayInWords(snapshotDate)}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${report.isPublished ? html`` : html`<p class="note">This snapshot was rejected and is not in use: the one before stays. The gates below say why, and what to try.</p>`}
<dl class="facts big"><div><dt>Customers in segments</dt><dd>${customersInWords(everybody.customers)}</dd></div><div><dt>Segments</dt><dd>${profiles.length}</dd></div><div><dt>Proxy churn of everybody</dt><dd>${rateInWords(everybody.proxyChurn)}</dd></div>${groups.map(({ name, customers }) => html`<div><dt>${name} (outside)</dt><dd>${customersInWords(customers)}</dd></div>`)}</dl>
<section id="risk" aria-labelledby="h-risk"><h2 id="h-risk">Who is at risk</h2>${riskBySegment(report, places)}${lift(report)}</section>
<section id="profiles" aria-labelledby="h-profiles"><h2 id="h-profiles">The segments</h2>
<p class="quiet">In each picture the band is the middle half of everybody and the dashed line everybody's median; the dot is the segment's median, the line through it the segment's middle half.</p>
<div class="cards">${profileCards(report, places)}</div></section>
<section id="sizes" aria-labelledby="h-sizes"><h2 id="h-sizes">Sizes over time</h2>${history.length === 0 ? html`<p>There is no snapshot yet.</p>` : sizesOverTime(report, places)}</section>
<section id="migration" aria-labelledby="h-migration"><h2 id="h-migration">Who moved</h2>${
    migration === undefined
      ? html`<p>There is no snapshot before, or too few customers to tell.</p>`
      : migrationPicture(migration)
  }</section>
<section id="gates" aria-labelledby="h-gates"><h2 id="h-gates">How good it is</h2><ul class="gates">${gates.map(gate)}</ul></section>
<footer><p><strong>Proxy churn</strong>: ${report.proxyChurn}, as of the snapshot. It stands for churn while real churn is not known yet.</p>
<p>${WITHHELD_NOTE}</p></footer>
</main>
</body>
</html>
`.html;
}

/** Place of each segment among all that the page shows, by id: a segment has one colour in all pictures. */
function placesOf({ history, profiles }: SegmentReport): Map<number, number> {
  const ids = [...history.flatMap(({ sizes }) => sizes), ...profiles].map(({ segment }) => segment);
  return new Map([...new Set(ids)].toSorted((one, other) => one - other).map((id, place) => [id, place]));
}

/** The lift says little by itself, so what came later stands beside it. */
function lift({ gates, transforms }: SegmentReport): Html {
  const [now, later] = ['lift', 'forwardOdds'].map((name) => gates.find(({ gate }) => gate === name)?.sentence);
  if (now === undefined) return html``;
  const byConstruction = transforms.some(({ feature }) => feature === 'recency_days')
    ? ' Days since the last purchase is among what segments are made of, so that some segment lies wholly beyond the limit: how far the riskiest is above the average follows from the average alone.'
    : '';
  return html`<p>${now.charAt(0).toUpperCase()}${now.slice(1)}.${byConstruction} What came later: ${later ?? 'not known'}.</p>`;
}

function gate({ outcome, fails, waived, sentence, advice }: GateResult): Html {
  const [words, kind] = verdict(outcome, fails, waived);
  return html`<li><strong class="${kind}">${words}:</strong> ${sentence}${advice === undefined ? '' : `. What to do: ${advice}`}.</li>`;
}

function verdict(
  outcome: GateResult['outcome'],
  fails: GateResult['fails'],
  waived: boolean,
): readonly [words: string, kind: string] {
  if (outcome === 'Passed') return ['Holds', 'passed'];
  if (outcome === 'NotApplicable') return ['Does not apply', 'idle'];
  const what = outcome === 'NotJudgeable' ? 'Cannot be judged' : 'Does not hold';
  if (waived) return [`${what}, waived`, 'alert'];
  return fails === 'reject' ? [`${what}: rejects`, 'failed'] : [what, fails === 'alert' ? 'alert' : 'idle'];
}
