import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import { text } from '../../base/schema/fields.ts';
import { type Html, html } from '../../base/text/html.ts';
import { totalOf } from '../../database/candidates/whole-list.ts';
import type { Database } from '../../database/client/database.ts';
import { isMigrated } from '../../database/migrations/migrate.ts';
import type { ProgramRecord } from '../../database/runs/programs.ts';
import { type RunRecord, storedCounts } from '../../database/runs/runs.ts';
import { queryReader } from '../http/parameters.ts';
import type { Problem } from '../http/schemas.ts';
import type { Scope } from '../http/sessions.ts';
import { document } from './document.ts';
import { addressOf, type Figures, figuresFrom } from './figures.ts';
import { listAddress } from './list-address.ts';
import { funnel, offers, riskHistogram, runs, sum } from './pictures.ts';
import { instant, integer, share } from './words.ts';

const pageQuery = Type.Object({ program: Type.Optional(text('Namespace and name of a program.', 320)) });

/** The page at `/`: a query, and what its reader may see, to its HTML. */
export type FirstPage = (query: string, scope: Scope) => Promise<string>;

interface FirstPageOptions {
  readonly database: Database;
  readonly namespace: string;
  readonly now: () => Date;
}

/** @param options.namespace whose programs are preferred */
export function firstPage(options: FirstPageOptions): FirstPage {
  const gather = figuresFrom(options);
  const read = queryReader(pageQuery);
  return async (query, scope) => {
    const { program } = read(query);
    const figures = await gather({ namespace: options.namespace, program, scope }).catch((error: unknown) =>
      nothingYet(error, options),
    );
    return document(figures.program?.program ?? 'Holdfast', header(figures), body(figures, program));
  };
}

/** A database without tables is one in which nothing has run. */
async function nothingYet(error: unknown, { database }: FirstPageOptions): Promise<Figures> {
  if (error instanceof HoldfastError && error.code === 'HF_NOT_MIGRATED' && !(await isMigrated(database))) {
    return { programs: [], program: undefined, groups: [], contacts: new Map(), runs: [] };
  }
  throw error;
}

/** The page in place of one that cannot be shown. */
export function refusalPage({ status, code, detail }: Problem): string {
  const advice =
    status === 401
      ? html`<p>Show the token of the API: <code>holdfast serve</code> printed it when it started, unless it was told one. The
address that it printed lets in one browser, once.</p>
<form class="chooser" action="/session" method="post"><label for="token">Token</label>
<input name="username" value="holdfast" autocomplete="username" hidden><input id="token" name="token" type="password" autocomplete="current-password" required><button type="submit">Show the page</button></form>`
      : html`<p>${detail}</p>`;
  const title =
    status === 401 ? 'Not let in yet' : status === 503 ? 'Not available at the moment' : 'This did not work';
  return document(
    title,
    html``,
    html`<section class="card lone"><h1>${title}</h1>${advice}<p class="quiet">${code}</p></section>`,
  );
}

function header({ programs, program }: Figures): Html {
  if (programs.length < 2) return html``;
  const several = new Set(programs.map(({ namespace }) => namespace)).size > 1;
  const options = programs.map(
    (one) =>
      html`<option value="${addressOf(one)}"${one === program ? html` selected` : html``}>${several ? addressOf(one) : one.program}</option>`,
  );
  return html`<form class="chooser" action="/" method="get"><label for="program">Program</label>
<select id="program" name="program">${options}</select><button type="submit">Show</button></form>`;
}

function body(figures: Figures, wanted: string | undefined): Html {
  const { program, groups } = figures;
  if (program === undefined) return nothing(figures, wanted);
  const { current } = program;
  if (current === undefined) {
    return html`<h1>${program.program}</h1>
<section class="card">${nothingCurrent(figures.runs)}</section>
${runsSection(figures)}`;
  }
  return html`<h1>${program.program}</h1>
<p class="quiet asof">Batch as of <time datetime="${current.slot.toISOString()}">${instant(current.slot)}</time>${
    current.publishedAt === undefined ? '' : `, published ${instant(current.publishedAt)}`
  }</p>
${trouble(figures.runs[0], current)}
${pastItsTime(figures, current)}
${tiles(figures, current)}
${toContact(figures, program)}
<div class="columns">
<section class="card wide" aria-labelledby="funnel-title"><h2 id="funnel-title">From the extract to candidates</h2>${funnel(current.stages)}</section>
${isDeleted(figures, current) ? html`` : pictures(groups)}
</div>
${runsSection(figures)}`;
}

function nothingCurrent(runs: readonly RunRecord[]): Html {
  const discarded = runs.find(({ discardedAt }) => discardedAt !== undefined);
  if (discarded === undefined) {
    return html`<h2>Nothing is published yet</h2><p>No run of this program has succeeded. What its runs say is below.</p>`;
  }
  return html`<h2>No batch is current</h2><p>The batch ${discarded.run} was discarded. The next run makes a new one.</p>`;
}

function nothing({ programs }: Figures, wanted: string | undefined): Html {
  if (wanted !== undefined && programs.length > 0) {
    return html`<section class="card lone"><h1>There is no such program</h1><p>Choose one above.</p></section>`;
  }
  return html`<section class="card lone"><h1>Nothing has run here yet</h1>
<p>Run a program, and this page shows its newest batch:</p>
<pre><code>holdfast run examples/churn-prevention.yaml</code></pre>
<p class="quiet">Use the same <code>--data</code> folder, or the same <code>DATABASE_URL</code>, as for this server. Then load the page again.</p></section>`;
}

/** A word when what is shown is not what happened last. */
function trouble(newest: RunRecord | undefined, current: RunRecord): Html {
  if (newest !== undefined && newest.discardedAt !== undefined) {
    return html`<p class="note" role="status">The newest batch, as of ${instant(newest.slot)}, was discarded: nobody is contacted from it. This is the one before it.</p>`;
  }
  if (newest === undefined || newest.run === current.run || newest.phase === 'Succeeded') return html``;
  if (newest.phase === 'Running') {
    return html`<p class="note" role="status">A newer run, as of ${instant(newest.slot)}, is under way. This is the batch before it.</p>`;
  }
  const why = newest.error === undefined ? '' : ` ${newest.error.code}: ${newest.error.message}`;
  return html`<p class="note bad" role="status">The newest run, as of ${instant(newest.slot)}, did not succeed; this is the last good batch.${why}</p>`;
}

function pictures(groups: Figures['groups']): Html {
  return html`<section class="card" aria-labelledby="risk-title"><h2 id="risk-title">Risk of the candidates</h2>${riskHistogram(groups)}</section>
<section class="card" aria-labelledby="offers-title"><h2 id="offers-title">Offers</h2>${offers(groups)}</section>`;
}

/** Whether nothing is left of the candidates that a run stored. */
function isDeleted({ groups }: Figures, { stages }: RunRecord): boolean {
  return groups.length === 0 && (stages.find(({ name }) => name === 'store')?.rowsOut ?? 0) > 0;
}

function pastItsTime(figures: Figures, current: RunRecord): Html {
  if (!isDeleted(figures, current)) return html``;
  return html`<p class="note bad" role="status">The candidates of this batch are past their time and deleted: run the program again. What the run counted is below.</p>`;
}

function tiles({ groups }: Figures, current: RunRecord): Html {
  // As the run counted them: what is past its time may be deleted.
  const total = current.stages.find(({ name }) => name === 'store')?.rowsOut ?? sum(groups);
  const held = storedCounts(current, 'arms')?.['holdout'] ?? sum(groups.filter(({ arm }) => arm === 'holdout'));
  const critical =
    storedCounts(current, 'riskLevels')?.['critical'] ??
    sum(groups.filter(({ riskLevel }) => riskLevel === 'critical'));
  const extracted = current.stages.find(({ name }) => name === 'extract')?.rowsIn;
  const tile = (label: string, value: number, note: string) =>
    html`<div class="tile"><dt>${label}</dt><dd>${integer(value)}<span class="quiet">${note}</span></dd></div>`;
  return html`<dl class="tiles">
${extracted === undefined ? html`` : tile('Extracted', extracted, 'customers')}
${tile('Candidates', total, share(total, extracted ?? 0) === '' ? '' : `${share(total, extracted ?? 0)} of the extract`)}
${tile('Critical', critical, total === 0 ? '' : `${share(critical, total)} of candidates`)}
${tile('Held out', held, total === 0 ? '' : `${share(held, total)} of candidates`)}
</dl>`;
}

function toContact({ contacts }: Figures, program: ProgramRecord): Html {
  const total = totalOf(contacts);
  return html`<p class="act"><a class="button" href="${listAddress({ program: addressOf(program) })}">Whom to contact</a>
<span class="quiet">${integer(total)} ${total === 1 ? 'customer' : 'customers'}, without those held out and those who get no offer</span></p>`;
}

function runsSection({ runs: records }: Figures): Html {
  return html`<section class="card" aria-labelledby="runs-title"><h2 id="runs-title">Last runs</h2>${runs(records)}</section>`;
}
