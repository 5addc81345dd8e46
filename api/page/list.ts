import { Type } from 'typebox';
import { oneOf, text } from '../../base/schema/fields.ts';
import { type Html, html } from '../../base/text/html.ts';
import { RISK_LEVELS } from '../../customers/columns/risk-levels.ts';
import type { StoredCandidate } from '../../customers/columns/stored-columns.ts';
import { offerWords, reasonWords, whyNoReasons } from '../../customers/contact-list/words.ts';
import { countListUntil, listPage, totalOf } from '../../database/candidates/whole-list.ts';
import type { Database } from '../../database/client/database.ts';
import { everyProgram } from '../../database/expiry/retired-runs.ts';
import { currentRun, type RunRecord, storedCounts } from '../../database/runs/runs.ts';
import { queryReader } from '../http/parameters.ts';
import { notFound } from '../http/route.ts';
import { mayRead, type Scope } from '../http/sessions.ts';
import { candidatesFile, type DownloadFormat, type FileOfPieces } from '../v1/downloads.ts';
import { document } from './document.ts';
import { keptCounts } from './kept-counts.ts';
import { LIST_FILES, listAddress } from './list-address.ts';
import { instant, integer, label } from './words.ts';

const programText = text('Namespace and name of a program.', 320);
const risk = Type.Optional(oneOf(RISK_LEVELS, 'Level of the risk.'));

const viewQuery = Type.Object({
  program: programText,
  risk,
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1, description: 'Page, from 1.' }),
  run: Type.Optional(text('Run whose batch the pages are of.', 253)),
});
const fileQuery = Type.Object({
  program: programText,
  risk,
  excel: Type.Optional(oneOf(['true'], 'The CSV is for Excel.')),
});

interface ListSource {
  readonly database: Database;
  readonly now: () => Date;
}

/** The page at `/list`, and the files beside it: a query, and what its reader may see, to what they show. */
export interface ListPages {
  readonly page: (query: string, scope: Scope) => Promise<string>;
  readonly file: (format: DownloadFormat, query: string, scope: Scope) => Promise<FileOfPieces>;
}

const ROWS = 50;

export function listPages(source: ListSource): ListPages {
  const readView = queryReader(viewQuery);
  const readFile = queryReader(fileQuery);
  const countsOf = keptCounts((batch, now) => countListUntil(source.database, { batch, now }));
  return {
    async page(query, scope) {
      const { program: wanted, risk: level, page, run } = readView(query);
      const key = await keyOf(source.database, wanted, scope);
      const program = `${key.namespace}/${key.owner}`;
      const batch = await currentRun(source.database, key);
      if (batch === undefined) throw notFound('no batch of that program has been published');
      const list = { batch, now: source.now() };
      const counts = await countsOf(batch, list.now);
      const total = totalOf(counts, level);
      const pages = Math.max(1, Math.ceil(total / ROWS));
      const isOther = run !== undefined && run !== batch.run;
      // Pages of a batch that is no more would miss some and show others twice.
      const at = isOther ? 1 : Math.min(page, pages);
      const rows = await listPage(source.database, { ...list, riskLevel: level, offset: (at - 1) * ROWS, limit: ROWS });
      const view = { program, risk: level, page: at, pages, total, counts, batch, rows, isOther };
      return document(`${key.owner}: whom to contact`, backTo(program), body(view));
    },
    async file(format, query, scope) {
      const { program, risk: level, excel } = readFile(query);
      const wanted = { format, excel: excel === 'true', ...(level === undefined ? {} : { riskLevel: level }) };
      const { namespace, owner } = await keyOf(source.database, program, scope);
      return candidatesFile(source, { namespace, program: owner }, wanted);
    },
  };
}

/**
 * A program by its namespace and name, or by its name alone where the reader may see one that is called so.
 * @throws HF_NOT_FOUND for a namespace that the reader may not see, too: what there is in it is not told
 */
async function keyOf(database: Database, program: string, scope: Scope) {
  if (!program.includes('/')) {
    const called = (await everyProgram(database)).filter(
      (one) => one.owner === program && mayRead(scope, one.namespace),
    );
    const [only] = called;
    if (only !== undefined && called.length === 1) return only;
    throw notFound(
      only === undefined
        ? 'there is no such program'
        : `say which one: ${called.map((one) => `?program=${one.namespace}/${one.owner}`).join(' or ')}`,
    );
  }
  const [namespace = '', name = ''] = program.split('/');
  if (name === '' || !mayRead(scope, namespace)) throw notFound('there is no such program');
  return { namespace, owner: program.slice(namespace.length + 1) };
}

interface View {
  readonly program: string;
  readonly risk: string | undefined;
  readonly page: number;
  readonly pages: number;
  readonly total: number;
  readonly counts: ReadonlyMap<string, number>;
  readonly batch: RunRecord;
  readonly rows: readonly StoredCandidate[];
  /** Whether the pages were of another batch. */
  readonly isOther: boolean;
}

function backTo(program: string): Html {
  return html`<a class="back" href="/?program=${encodeURIComponent(program)}">Back to the batch</a>`;
}

function body(view: View): Html {
  const { batch, isOther } = view;
  const noReasons = whyNoReasons(batch);
  const held = storedCounts(batch, 'arms')?.['holdout'] ?? 0;
  return html`<h1>Whom to contact</h1>
<p class="quiet asof">${batch.owner}, batch as of <time datetime="${batch.slot.toISOString()}">${instant(batch.slot)}</time>${
    view.rows[0] === undefined ? '' : `, holds until ${instant(view.rows[0].expires_at)}`
  }</p>
${held === 0 ? html`` : html`<p class="quiet">${integer(held)} more ${held === 1 ? 'is' : 'are'} held out: they get nothing, so that the effect can be measured.</p>`}
${isOther ? html`<p class="note" role="status">Another batch has become the current one: this is its first page.</p>` : html``}
${noReasons === undefined ? html`` : html`<p class="note">${noReasons}</p>`}
${levels(view)}
<section class="card" aria-labelledby="list-title">
<h2 id="list-title">${title(view)}</h2>
${view.total === 0 ? html`<p class="quiet">There is nobody to contact: the batch has none, or is past its time.</p>` : table(view)}
${paging(view)}
</section>
${files(view)}`;
}

function levels({ program, risk: chosen, counts, batch }: View): Html {
  const link = (level: string | undefined, count: number) =>
    html`<li><a href="${listAddress({ program, risk: level, run: batch.run })}"${
      level === chosen ? html` aria-current="true"` : html``
    }>${level === undefined ? 'All' : label(level)} <span class="quiet">${integer(count)}</span></a></li>`;
  return html`<nav aria-label="Risk level"><ul class="choices" id="levels">${link(undefined, totalOf(counts))}${[
    ...counts,
  ].map(([level, count]) => link(level, count))}</ul></nav>`;
}

function title({ risk: level, total, page }: View): string {
  const what = level === undefined ? 'Everybody' : `${label(level)} risk`;
  if (total === 0) return what;
  return `${what}: ${integer((page - 1) * ROWS + 1)} to ${integer(Math.min(page * ROWS, total))} of ${integer(total)}`;
}

/** Roles are written out: how a telephone lays the cells out would else take a table from whoever hears it. */
function table({ rows }: View): Html {
  const columns = ['Customer', 'Risk', 'Offer', 'Recommended', 'Reasons'];
  const records = rows.map((row) => {
    const offer = offerWords(row);
    return html`<tr role="row">
<th scope="row" role="rowheader"><bdi>${row.customer_id}</bdi></th>
<td role="cell" class="risk"><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="${row.risk_level}" width="10" height="10" rx="2"/></svg>${label(row.risk_level)} <span class="quiet">${row.risk_score.toFixed(3)}</span></td>
<td role="cell">${offer === null ? '' : label(offer)}</td>
<td role="cell">${row.offer_kind === null ? '' : label(row.offer_kind)}</td>
<td role="cell" class="reasons quiet">${label(reasonWords(row))}</td>
</tr>`;
  });
  return html`<table class="people" id="people" role="table" aria-labelledby="list-title">
<thead role="rowgroup"><tr role="row">${columns.map((name) => html`<th scope="col" role="columnheader">${name}</th>`)}</tr></thead>
<tbody role="rowgroup">${records}</tbody></table>`;
}

function paging({ program, risk: level, page, pages, batch }: View): Html {
  if (pages < 2) return html``;
  const link = (name: string, to: number, rel: string) =>
    to === page || to < 1 || to > pages
      ? html`<li><span class="quiet" aria-disabled="true">${name}</span></li>`
      : html`<li><a href="${listAddress({ program, risk: level, page: to, run: batch.run })}"${rel === '' ? html`` : html` rel="${rel}"`}>${name}</a></li>`;
  return html`<nav aria-label="Pages"><ul class="choices pages">${link('First', 1, '')}${link('Previous', page - 1, 'prev')}
<li class="here">Page ${integer(page)} of ${integer(pages)}</li>${link('Next', page + 1, 'next')}${link('Last', pages, '')}</ul></nav>`;
}

function files({ program, risk: level, total }: View): Html {
  const link = (name: string, format: DownloadFormat, excel?: true) =>
    html`<li><a href="${listAddress({ program, risk: level, excel }, LIST_FILES[format])}" download>${name}</a></li>`;
  return html`<section class="card files" aria-labelledby="files-title"><h2 id="files-title">Take it away</h2>
<p class="quiet">${level === undefined ? 'All' : `Those of ${level} risk, all`} ${integer(total)}, with the offer in columns of its own. No spreadsheet runs a text in it as a formula.</p>
<ul class="choices">${link('CSV', 'csv')}${link('CSV for Excel', 'csv', true)}${link('JSON lines', 'jsonl')}</ul></section>`;
}
