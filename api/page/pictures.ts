import { type Html, html } from '../../base/text/html.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import type { CandidateGroup } from '../../database/batches/batch-figures.ts';
import { RISK_BINS } from '../../database/batches/batch-figures.ts';
import type { RunRecord, StageReport } from '../../database/runs/runs.ts';
import { instant, integer, label, seconds, share } from './words.ts';

/** Pictures of a batch and of runs. Bars are drawings beside numbers that are text: whoever sees none reads the same. */

interface Segment {
  readonly size: number;
  readonly kind: string;
}

/** Parts of a whole, side by side. Stretched by its place, so its units are only relative. */
function bar(segments: readonly Segment[], whole: number): Html {
  let from = 0;
  const rects = segments
    .filter(({ size }) => size > 0)
    .map(({ size, kind }) => {
      const width = whole > 0 ? (size / whole) * 1000 : 0;
      const rect = html`<rect class="${kind}" x="${from.toFixed(1)}" width="${Math.max(width, 1.5).toFixed(1)}" height="10"/>`;
      from += width;
      return rect;
    });
  return html`<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">${rects}</svg>`;
}

interface FunnelStep {
  readonly label: string;
  readonly left: number;
  readonly removed: number;
}

/** What was left after each step of the run, from the extract to what was stored. */
export function funnel(stages: readonly StageReport[]): Html {
  const steps = funnelSteps(stages);
  const [first] = steps;
  if (first === undefined) return html`<p class="quiet">The run reported no stage.</p>`;
  const rows = steps.map(
    ({ label, left, removed }) => html`<tr>
<th scope="row">${label}</th>
<td class="drawing">${bar(
      [
        { size: left, kind: 'kept' },
        { size: removed, kind: 'gone' },
      ],
      first.left,
    )}</td>
<td class="number">${integer(left)}</td>
<td class="number quiet">${removed > 0 ? `−${integer(removed)}` : ''}</td>
</tr>`,
  );
  return html`<table class="bars" id="funnel">
<thead class="unseen"><tr><th scope="col">Step</th><th scope="col">Picture</th><th scope="col">Customers left</th><th scope="col">Removed</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

function funnelSteps(stages: readonly StageReport[]): readonly FunnelStep[] {
  const stage = (name: string) => stages.find((one) => one.name === name);
  const extract = stage('extract');
  if (extract === undefined) return [];
  const steps: FunnelStep[] = [{ label: 'Extracted', left: extract.rowsIn, removed: 0 }];
  let left = extract.rowsIn;
  const remove = (step: string, removed: number) => {
    left -= removed;
    steps.push({ label: step, left, removed });
  };
  remove('Usable rows', extract.rowsIn - extract.rowsOut);
  for (const [filter, removed] of Object.entries(countsOf(stage('filter'), 'removed'))) remove(label(filter), removed);
  const score = stage('score');
  if (score !== undefined) remove('At risk', score.rowsIn - score.rowsOut);
  const store = stage('store');
  if (store !== undefined) remove('Candidates', store.rowsIn - store.rowsOut);
  return steps;
}

function countsOf(stage: StageReport | undefined, key: string): Readonly<Record<string, number>> {
  const counts = stage?.counts[key];
  return typeof counts === 'object' && counts !== null ? (counts as Record<string, number>) : {};
}

const HEIGHT = 100;

/** How many candidates have which risk, coloured by level. */
export function riskHistogram(groups: readonly CandidateGroup[]): Html {
  const total = sum(groups);
  if (total === 0) return html`<p class="quiet">The batch has no candidates.</p>`;
  const lowest = Math.min(...groups.map(({ bin }) => bin));
  const perTenth = RISK_BINS / 10;
  const from = Math.floor(lowest / perTenth) * perTenth;
  const bins = Array.from({ length: RISK_BINS - from }, (_, index) => groups.filter(({ bin }) => bin === from + index));
  const largest = Math.max(...bins.map(sum));
  const rects = bins.flatMap((inBin, index) => {
    let top = HEIGHT;
    const range = `${((from + index) / RISK_BINS).toFixed(3)} to ${((from + index + 1) / RISK_BINS).toFixed(3)}`;
    return RISK_LEVELS.map((level) => {
      const count = sum(inBin.filter(({ riskLevel }) => riskLevel === level));
      if (count === 0) return html``;
      const height = Math.max((count / largest) * HEIGHT, 0.8);
      top -= height;
      return html`<rect class="${level}" x="${index * 10 + 0.6}" y="${top.toFixed(2)}" width="8.8" height="${height.toFixed(2)}"><title>${level}, risk ${range}: ${integer(count)}</title></rect>`;
    });
  });
  const levels = RISK_LEVELS.map(
    (level) => [level, sum(groups.filter(({ riskLevel }) => riskLevel === level))] as const,
  );
  const words = levels.map(([level, count]) => `${integer(count)} ${level}`).join(', ');
  const ticks = Array.from({ length: 11 - from / perTenth }, (_, index) => (from / perTenth + index) / 10);
  return html`<svg class="histogram" viewBox="0 0 ${bins.length * 10} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Histogram of the risk of ${integer(total)} candidates: ${words}">${rects}</svg>
<div class="axis" aria-hidden="true">${ticks.map((tick) => html`<span>${tick.toFixed(1)}</span>`)}</div>
<dl class="legend" id="levels">${levels.map(
    ([level, count]) =>
      html`<div><dt><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${level}" width="10" height="10" rx="2"/></svg>${label(level)}</dt><dd>${integer(count)} <span class="quiet">${share(count, total)}</span></dd></div>`,
  )}</dl>`;
}

/** What the candidates get, by tier and, where a second model recommends, by kind, with how many are held out. */
export function offers(groups: readonly CandidateGroup[]): Html {
  const hasKinds = groups.some(({ offerKind }) => offerKind !== null);
  return html`${offersBy(groups, 'offers', ({ offerTier }) => offerTier)}${
    hasKinds
      ? html`<h3>Recommended by the second model</h3>${offersBy(groups, 'kinds', ({ offerKind }) => offerKind)}`
      : html``
  }
<dl class="legend"><div><dt>${key('kept')}Gets the offer</dt></div><div><dt>${key('held')}Held out: gets nothing, so that the effect can be measured</dt></div></dl>`;
}

function offersBy(
  groups: readonly CandidateGroup[],
  id: string,
  nameOf: (group: CandidateGroup) => string | null,
): Html {
  const named = [...Map.groupBy(groups, nameOf)].toSorted(([, one], [, other]) => sum(other) - sum(one));
  const largest = Math.max(0, ...named.map(([, of]) => sum(of)));
  const rows = named.map(([name, of]) => {
    const held = sum(of.filter(({ arm }) => arm === 'holdout'));
    return html`<tr>
<th scope="row">${label(name ?? 'no offer')}</th>
<td class="drawing">${bar(
      [
        { size: sum(of) - held, kind: 'kept' },
        { size: held, kind: 'held' },
      ],
      largest,
    )}</td>
<td class="number">${integer(sum(of))}</td>
<td class="number quiet">${integer(held)} held out</td>
</tr>`;
  });
  return html`<table class="bars" id="${id}">
<thead class="unseen"><tr><th scope="col">Offer</th><th scope="col">Picture</th><th scope="col">Candidates</th><th scope="col">Held out</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** The last runs, with how long each of their stages took. */
export function runs(records: readonly RunRecord[]): Html {
  const ofStages = ({ stages }: RunRecord) => stages.reduce((time, stage) => time + stage.seconds, 0);
  // A run is more than its stages; where nobody measured it they are what is known.
  const total = (record: RunRecord) => Math.max(record.seconds ?? 0, ofStages(record));
  const slowest = Math.max(0, ...records.map(total));
  const names = [...new Set(records.flatMap(({ stages }) => stages.map(({ name }) => name)))];
  const kindOf = (name: string) => `stage-${names.indexOf(name) % 6}`;
  const rows = records.map((record) => {
    const times = record.stages.map(({ name, seconds: time }) => `${name} ${seconds(time)}`).join(', ');
    const segments = record.stages.map(({ name, seconds: size }) => ({ size, kind: kindOf(name) }));
    return html`<tr>
<th scope="row"><span class="phase ${record.phase.toLowerCase()}">${record.phase}</span><span class="slot">${instant(record.slot)}</span></th>
<td class="drawing">${bar(segments, slowest)}<span class="quiet times">${times}</span></td>
<td class="number">${seconds(total(record))}</td>
<td class="number quiet">${resultOf(record)}</td>
</tr>`;
  });
  return html`<table class="bars runs" id="runs">
<thead class="unseen"><tr><th scope="col">Run</th><th scope="col">Time of each stage</th><th scope="col">Time of all</th><th scope="col">Result</th></tr></thead>
<tbody>${rows}</tbody></table>
<dl class="legend">${names.map((name) => html`<div><dt>${key(kindOf(name))}${label(name)}</dt></div>`)}</dl>`;
}

function resultOf({ error, stages, discardedAt }: RunRecord): string {
  if (error !== undefined) return error.code;
  const stored = stages.find(({ name }) => name === 'store')?.rowsOut;
  if (stored === undefined) return '';
  return `${integer(stored)} ${discardedAt === undefined ? 'stored' : 'discarded'}`;
}

function key(kind: string): Html {
  return html`<svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${kind}" width="10" height="10" rx="2"/></svg>`;
}

export function sum(groups: readonly CandidateGroup[]): number {
  return groups.reduce((total, { candidates }) => total + candidates, 0);
}
