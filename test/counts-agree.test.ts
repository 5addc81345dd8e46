import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { literal, openEngine } from '../base/duckdb/engine.ts';
import { openApi, storeBatch, type TestApi } from './support/api.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';
import { type Workspace, workspace } from './support/workspace.ts';

/** A figure by its name, such as `filter trust` or `tier premium`. */
type Figures = Readonly<Record<string, number>>;

let shop: Workspace;
let postgres: TestPostgres;
let api: TestApi;
let text: string;
// biome-ignore lint: what is printed is what the test looks at.
let report: any;
beforeAll(async () => {
  shop = await workspace();
  postgres = await openPostgres();
  await shop.customers(
    `SELECT * REPLACE (CASE customer_id WHEN 'C0399' THEN NULL ELSE customer_id END AS customer_id) FROM customers`,
  );
  const program = await shop.program((spec) => {
    spec['offerStrategy'].segments.pop();
    spec['riskLevels'] = { critical: 0.95, high: 0.85, medium: 0.6 };
    spec['holdout'] = { share: 0.3 };
  });
  text = (await command(['run', program])).stdout;
  report = JSON.parse((await command(['run', program, '--output', 'json'])).stdout);
  await postgres.database.pool.query(
    `UPDATE holdfast.candidates SET expires_at = greatest(now(), '2026-12-31') + interval '1 day'`,
  );
  api = await openApi(postgres.database, { namespace: 'default' });
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
  await shop?.[Symbol.asyncDispose]();
});

const command = (args: readonly string[]) => shop.holdfast(args, { environment: { DATABASE_URL: postgres.url } });
const number = (figure: string | undefined) => Number((figure ?? '').replaceAll(/[,−]/g, ''));
const named = (prefix: string, of: Figures): Figures =>
  Object.fromEntries(Object.entries(of).map(([name, figure]) => [`${prefix} ${name}`, figure]));

/** What the funnel of `holdfast run` says. */
function ofText(printed: string): Figures {
  const line = (label: string) => new RegExp(`^${label}( .*)$`, 'm').exec(printed)?.[1] ?? '';
  const words = (label: string, minus = ''): Figures =>
    Object.fromEntries(
      [...line(label).matchAll(new RegExp(`([a-z][a-z_ -]*?) +${minus}([\\d,]+)(?= |$)`, 'g'))].map(
        ([, name = '', figure]) => [name.trim(), number(figure)],
      ),
    );
  const { 'held out': heldOut = Number.NaN, none = 0, ...tiers } = words('offers');
  const [, extracted, rejected] = /^extract +([\d,]+) +rejected ([\d,]+)/m.exec(printed) ?? [];
  return {
    extracted: number(extracted),
    rejected: number(rejected),
    ...named(
      'filter',
      Object.fromEntries(
        [...line('filter').matchAll(/([a-z-]+) [−]?(\d+)(?= |$)/g)].map(([, id = '', n]) => [id, number(n)]),
      ),
    ),
    below: number(/below the lowest risk level −?([\d,]+)/.exec(printed)?.[1] ?? '0'),
    stored: number(/^stored +([\d,]+)/m.exec(printed)?.[1]),
    ...named('level', words('stored')),
    ...named('tier', tiers),
    none,
    'held out': heldOut,
    contact: number(/^list +([\d,]+) /m.exec(printed)?.[1]),
    ...named('kind', words('kinds')),
  };
}

// biome-ignore lint: as above.
function ofStages(stages: readonly any[]): Figures {
  const stage = (name: string) => stages.find((one) => one.name === name);
  const { counts } = stage('store');
  return {
    extracted: stage('extract').rowsIn,
    rejected: stage('extract').rowsIn - stage('extract').rowsOut,
    ...named('filter', stage('filter').counts.removed),
    below: stage('score').counts.belowThreshold,
    stored: stage('store').rowsOut,
    ...named('level', counts.riskLevels),
    ...named('tier', counts.tiers),
    none: counts.withoutOffer,
    'held out': counts.arms.holdout,
    contact: counts.toContact,
    ...named('kind', counts.kinds),
  };
}

/** What the page shows, read as somebody reads it. */
async function ofPage(): Promise<Figures> {
  const { text: page } = await api.get('/?program=default/keep');
  const plain = (html: string) =>
    html
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
  const part = (id: string) => new RegExp(`<(table|dl)[^>]*id="${id}".*?</\\1>`, 's').exec(page)?.[0] ?? '';
  const rows = (id: string) => [...part(id).matchAll(/<tr>\s*<th scope="row">.*?<\/tr>/gs)].map(([row]) => plain(row));
  const funnel = rows('funnel').map((row) => /^(.+?) ([\d,]+)(?: −([\d,]+))?$/.exec(row) ?? []);
  const removedAt = (label: string) => number(funnel.find(([, name]) => name === label)?.[3] ?? '0');
  const offers = rows('offers').map((row) => /^(.+?) ([\d,]+) ([\d,]+) held out$/.exec(row) ?? []);
  const tile = (label: string) => number(new RegExp(`<dt>${label}</dt><dd>([\\d,]+)`).exec(page)?.[1]);
  const levels = [...part('levels').matchAll(/<dt>.*?<\/dt><dd>[\d,]+/gs)].map(
    ([one]) => /^(\w+) ([\d,]+)$/.exec(plain(one)) ?? [],
  );
  expect(number(funnel.at(-1)?.[2])).toBe(tile('Candidates'));
  expect(offers.reduce((sum, [, , , held]) => sum + number(held), 0)).toBe(tile('Held out'));
  const lower = (name: string | undefined) => (name ?? '').toLowerCase();
  return {
    extracted: tile('Extracted'),
    rejected: removedAt('Usable rows'),
    ...named(
      'filter',
      Object.fromEntries(
        funnel.slice(2, -2).map(([, name, , n]) => [lower(name).replaceAll(' ', '-'), number(n ?? '0')]),
      ),
    ),
    below: removedAt('At risk'),
    stored: tile('Candidates'),
    ...named('level', Object.fromEntries(levels.map(([, name, n]) => [lower(name), number(n)]))),
    ...named(
      'tier',
      Object.fromEntries(
        offers.filter(([, name]) => name !== 'No offer').map(([, name, n]) => [lower(name), number(n)]),
      ),
    ),
    none: number(offers.find(([, name]) => name === 'No offer')?.[2] ?? '0'),
    'held out': tile('Held out'),
    contact: number(/<\/a>\s*<span class="quiet">([\d,]+) customers, without/.exec(page)?.[1]),
    ...named(
      'kind',
      Object.fromEntries(
        rows('kinds').map((row) => {
          const [, name, n] = /^(.+?) ([\d,]+) /.exec(row) ?? [];
          return [lower(name).replaceAll(' ', '_'), number(n)];
        }),
      ),
    ),
  };
}

describe('of one run', () => {
  test('there is something of every kind to be counted', () => {
    const figures = ofStages(report.stages);
    expect(Object.entries(figures).filter(([name, n]) => !(n > 0) && name !== 'filter eligibility')).toEqual([]);
  });

  test('text, JSON, API and page have the same figures', async () => {
    const wanted = ofStages(report.stages);
    const { json } = await api.get(`/v1/namespaces/default/programs/keep/runs/${report.run}`);
    expect({ text: ofText(text), api: ofStages(json.stages), page: await ofPage() }).toEqual({
      text: wanted,
      api: wanted,
      page: wanted,
    });
  });

  test('whoever lists whom to contact has the same people of each level', async () => {
    const { rows } = await postgres.database.pool.query<{ customer_id: string; risk_level: string }>(
      'SELECT customer_id, risk_level FROM holdfast.outreach_candidates ORDER BY risk_score DESC, customer_id',
    );
    const ids = rows.map(({ customer_id }) => customer_id);
    const level = (name: string) => rows.filter(({ risk_level }) => risk_level === name).length;
    const lines = (text: string) =>
      text.split('\n').flatMap((one) => (one === '' ? [] : [JSON.parse(one).customer_id]));
    const csv = (text: string) => [...text.matchAll(/^"(C\d+)"/gm)].map(([, id]) => id);
    const path = '/v1/namespaces/default/programs/keep/candidates';
    const { items } = (await api.get(`${path}?limit=200`)).json;
    const shown = (await api.get('/list?program=default/keep')).text;
    const lists = {
      'the command, JSON': lines((await command(['candidates', 'keep', '--json'])).stdout),
      'the command, CSV': csv((await command(['candidates', 'keep', '--csv'])).stdout),
      'the API': items.map(({ customerId }: { readonly customerId: string }) => customerId),
      'the API, CSV': csv((await api.get(`${path}.csv`)).text),
      'the API, JSON lines': lines((await api.get(`${path}.jsonl`)).text),
      'the page': [...shown.matchAll(/<bdi>(.*?)<\/bdi>/g)].map(([, id]) => id),
    };
    const { stored = 0, 'held out': heldOut = 0, none = 0 } = ofStages(report.stages);
    expect(ids.length).toBeLessThan(stored - heldOut);
    expect(ids.length).toBeGreaterThanOrEqual(stored - heldOut - none);
    expect(lists).toEqual(Object.fromEntries(Object.keys(lists).map((name) => [name, ids])));
    expect(ofStages(report.stages)).toMatchObject({ contact: ids.length });

    const figures = `critical ${level('critical')}   high ${level('high')}   medium ${level('medium')}`;
    const others = `of ${stored} candidates   held out ${heldOut}   without an offer ${stored - heldOut - ids.length}`;
    expect((await command(['candidates', 'keep'])).stdout).toContain(
      `to contact ${ids.length}   ${figures}\n${others}\n`,
    );
    expect((await api.get('/?program=default/keep')).text).toContain(`${ids.length} customers`);
    const choices = [...shown.matchAll(/>(All|Critical|High|Medium) <span class="quiet">(\d+)</g)].map(([, , n]) =>
      Number(n),
    );
    expect(choices).toEqual([ids.length, level('critical'), level('high'), level('medium')]);
    expect(shown).toMatch(new RegExp(`>${heldOut} more (is|are) held out: they get nothing`));
  });

  test('files, the other commands and the metrics count the whole batch alike', async () => {
    const { stored, 'held out': heldOut, ...figures } = ofStages(report.stages);
    await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: shop.folder });
    const [file] = await engine.rows(
      `SELECT count(*)::INTEGER AS stored, count(*) FILTER (arm = 'holdout')::INTEGER AS held,
         count(*) FILTER (offer_tier IS NULL)::INTEGER AS none FROM read_parquet(${literal(report.data.current)})`,
    );
    expect(file).toEqual({ stored, held: heldOut, none: figures['none'] });
    const explained = JSON.parse((await command(['explain', 'keep', '--candidates', '--output', 'json'])).stdout);
    expect(explained.customers).toBe(stored);
    const { batches } = JSON.parse((await command(['current', 'keep', '--output', 'json'])).stdout);
    expect(batches[0]).toMatchObject({ run: report.run, candidates: stored });
    const wanted = { run: report.run, candidates: stored, heldOut, toContact: figures['contact'] };
    expect(JSON.parse((await command(['runs', 'keep', '-o', 'json'])).stdout).runs[0]).toMatchObject(wanted);
    const [standing] = JSON.parse((await command(['status', 'keep', '-o', 'json'])).stdout).programs;
    expect(standing).toMatchObject({ current: wanted, last: wanted });
    const cells = (text: string, row: number) => (text.split('\n')[row] ?? '').split(/ {3,}/);
    for (const asked of ['runs', 'status']) {
      const { stdout } = await command([asked, 'keep']);
      const shown = cells(stdout, 1).slice(asked === 'runs' ? 4 : 3);
      expect(cells(stdout, 0)).toEqual(expect.arrayContaining(['CANDIDATES', 'HELD OUT', 'TO CONTACT']));
      expect(shown.slice(0, 3).map(Number)).toEqual([stored, heldOut, figures['contact']]);
    }
    const inPostgres = `SELECT count(*)::integer AS stored, count(*) FILTER (WHERE arm = 'holdout')::integer AS held,
        count(*) FILTER (WHERE offer_tier IS NULL)::integer AS none FROM holdfast.candidates WHERE run = $1`;
    expect((await postgres.database.pool.query(inPostgres, [report.run])).rows).toEqual([file]);
    const metrics = (await api.get('/metrics')).text;
    const ofLevel = (name: string) =>
      Number(
        new RegExp(`^holdfast_current_batch_candidates\\{.*program="keep",risk_level="${name}"\\} (\\d+)`, 'm').exec(
          metrics,
        )?.[1],
      );
    const gauge = (name: string) => Number(new RegExp(`^${name}\\{.*program="keep"\\} (\\d+)`, 'm').exec(metrics)?.[1]);
    expect(gauge('holdfast_current_batch_to_contact')).toBe(figures['contact']);
    expect(gauge('holdfast_current_batch_rejected_rows')).toBe(figures['rejected']);
    for (const name of ['critical', 'high', 'medium'])
      expect([name, ofLevel(name)]).toEqual([name, figures[`level ${name}`]]);
  });
});

test('where caps took customers out only when the batch was stored, the metrics count what was stored', async () => {
  const stages = [
    { name: 'score', rowsIn: 12, rowsOut: 12, seconds: 1, counts: { riskLevels: { critical: 7, high: 5, medium: 0 } } },
    {
      name: 'store',
      rowsIn: 12,
      rowsOut: 10,
      seconds: 1,
      counts: { removed: { 'frequency-cap': 2 }, riskLevels: { critical: 6, high: 4, medium: 0 } },
    },
  ];
  await storeBatch(postgres.database, {
    namespace: 'default',
    program: 'capped',
    run: 'capped-1',
    customers: 10,
    stages,
  });
  const { text: metrics } = await api.get('/metrics');
  expect(metrics).toMatch(/program="capped",risk_level="critical"\} 6$/m);
  expect(metrics).toMatch(/program="capped",risk_level="high"\} 4$/m);
});

test('a batch whose candidates are past their time and deleted is shown as its run counted it, with a word', async () => {
  const stages = [
    { name: 'extract', rowsIn: 20, rowsOut: 20, seconds: 1, counts: {} },
    {
      name: 'store',
      rowsIn: 10,
      rowsOut: 10,
      seconds: 1,
      counts: { riskLevels: { critical: 6, high: 4, medium: 0 }, arms: { treatment: 9, holdout: 1 } },
    },
  ];
  await storeBatch(postgres.database, { namespace: 'default', program: 'past', run: 'past-1', customers: 0, stages });
  const { text: page } = await api.get('/?program=default/past');
  const tile = (label: string) => new RegExp(`<dt>${label}</dt><dd>([\\d,]+)`).exec(page)?.[1];
  expect(['Candidates', 'Critical', 'Held out'].map(tile)).toEqual(['10', '6', '1']);
  expect(page).toContain('past their time and deleted');
  expect(page).not.toContain('The batch has no candidates');
});
