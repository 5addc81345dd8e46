import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { openApi, storeBatch, type TestApi, TOKEN, weeks } from './support/api.ts';
import { complaintsOf, missingBrowser, openBrowser } from './support/browser.ts';
import { CONTRASTS } from './support/contrasts.ts';
import { openPostgres, type TestPostgres } from './support/postgres.ts';

const missing = missingBrowser();
if (missing !== undefined) console.warn(missing);

/** A run of 5,000 rows, with names as people give them. */
const STAGES = [
  { name: 'extract', rowsIn: 5000, rowsOut: 4988, seconds: 1.5, counts: {} },
  {
    name: 'filter',
    rowsIn: 4988,
    rowsOut: 1010,
    seconds: 0.4,
    counts: { removed: { trust: 988, 'churn-signal': 2990 } },
    order: { removed: ['trust', 'churn-signal'] },
  },
  { name: 'score', rowsIn: 1010, rowsOut: 1000, seconds: 0.25, counts: {} },
  { name: 'offer', rowsIn: 1000, rowsOut: 1000, seconds: 0.1, counts: {} },
  { name: 'store', rowsIn: 1000, rowsOut: 1000, seconds: 75, counts: {} },
];
const NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>';

(missing === undefined ? describe : describe.skip)('the first page in a browser', () => {
  let postgres: TestPostgres;
  let api: TestApi;
  let browser: Browser;
  beforeAll(async () => {
    postgres = await openPostgres();
    const { database } = postgres;
    await storeBatch(database, { run: 'churn-1', sequence: 1, customers: 1000, stages: STAGES });
    await storeBatch(database, { run: 'churn-2', sequence: 2, slot: weeks(1), current: false, phase: 'Failed' });
    await storeBatch(database, { program: NASTY, run: 'nasty-1', customers: 3, stages: STAGES });
    await storeBatch(database, {
      program: 'a-program-with-a-name-as-long-as-kubernetes-lets-it-be-63-letters',
      run: 'long-1',
    });
    await storeBatch(database, { program: 'hostile', run: 'hostile-1', customers: 9 });
    await database.pool.query(
      `UPDATE holdfast.candidates SET customer_id = $1 || customer_id, churn_signals = ARRAY[$2] WHERE program = 'hostile'`,
      ['x'.repeat(120), NASTY],
    );
    api = await openApi(database);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await api?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  /** Opens a page as a person does, with the address that was printed, and fails on anything that a browser minds. */
  async function visit(
    path: string,
    options: BrowserContextOptions,
    look: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      const hosts = new Set<string>();
      page.on('requestfailed', (request) => {
        const why = request.failure()?.errorText;
        // What the next page makes the browser give up is no failure.
        if (why !== 'net::ERR_ABORTED') complaints.push(`${request.url()}: ${why}`);
      });
      page.on('request', (request) => hosts.add(new URL(request.url()).host));
      await page.goto(`${api.url}/`);
      await page.getByLabel('Token').fill(TOKEN);
      await page.getByRole('button', { name: 'Show the page' }).click();
      await page.waitForURL(`${api.url}/`);
      // What an answer of 401 makes the browser say, and nothing else.
      expect(complaints.splice(0)).toEqual([expect.stringContaining('status of 401')]);
      await page.goto(`${api.url}${path}`);
      await look(page);
      expect(complaints).toEqual([]);
      expect([...hosts]).toEqual([new URL(api.url).host]);
    } finally {
      await context.close();
    }
  }

  const textsOf = (page: Page, selector: string) =>
    page
      .locator(selector)
      .evaluateAll((rows) =>
        rows.map((row) => (row as unknown as { innerText: string }).innerText.replaceAll(/\s+/g, ' ').trim()),
      );

  test('shows the numbers that the database has, each beside its picture', async () => {
    const { rows } = await postgres.database.pool.query<{
      level: string;
      kind: string;
      tier: string;
      arm: string;
      n: number;
    }>(
      `SELECT risk_level AS level, offer_kind AS kind, offer_tier AS tier, arm, count(*)::integer AS n
       FROM holdfast.candidates WHERE run = 'churn-1' GROUP BY 1, 2, 3, 4`,
    );
    const count = (is: (row: (typeof rows)[number]) => boolean) => rows.filter(is).reduce((sum, { n }) => sum + n, 0);
    await visit('/?program=shop/churn', { viewport: { width: 1280, height: 900 } }, async (page) => {
      expect(await textsOf(page, '#funnel tbody tr')).toEqual([
        'Extracted 5,000',
        'Usable rows 4,988 −12',
        'Trust 4,000 −988',
        'Churn signal 1,010 −2,990',
        'At risk 1,000 −10',
        'Candidates 1,000',
      ]);
      const levels = ['Critical', 'High', 'Medium'].map((name) => {
        const n = count(({ level }) => level === name.toLowerCase());
        return expect.stringMatching(new RegExp(`^${name} ${n} ${n / 10}%$`));
      });
      expect(await textsOf(page, '#levels > div')).toEqual(levels);
      const heights = await page.locator('.histogram rect').evaluateAll((rects) =>
        rects.map((rect) => ({
          level: rect.getAttribute('class'),
          n: Number(/: ([\d,]+)$/.exec(rect.textContent ?? '')?.[1]),
          height: Number(rect.getAttribute('height')),
        })),
      );
      for (const name of ['critical', 'high', 'medium']) {
        const drawn = heights.filter(({ level }) => level === name).reduce((sum, { n }) => sum + n, 0);
        expect({ name, drawn }).toEqual({ name, drawn: count(({ level }) => level === name) });
      }
      const tallest = Math.max(...heights.map(({ n }) => n));
      for (const { n, height } of heights) expect(height).toBeCloseTo(Math.max((n / tallest) * 100, 0.8), 1);
      const offers = (names: readonly string[], key: 'tier' | 'kind') =>
        names.map((name) => {
          const held = count((row) => row[key] === name && row.arm === 'holdout');
          return `${name[0]?.toUpperCase()}${name.slice(1)} ${count((row) => row[key] === name)} ${held} held out`;
        });
      const byCount = ['premium', 'standard', 'engagement'].toSorted(
        (one, other) => count(({ tier }) => tier === other) - count(({ tier }) => tier === one),
      );
      expect(await textsOf(page, '#offers tbody tr')).toEqual(offers(byCount, 'tier'));
      expect(await textsOf(page, '#kinds tbody tr')).toEqual(offers(['discount', 'upgrade'], 'kind'));
      const runs = await textsOf(page, '#runs tbody tr');
      expect(runs[0]).toContain('Failed Mon, 30 Nov 2026, 02:00 UTC');
      expect(runs[1]).toContain('extract 1.5 s, filter 0.40 s, score 0.25 s, offer 0.10 s, store 1 min 15 s');
      expect(runs[1]).toContain('1,000 stored');
      expect(await page.locator('.note').innerText()).toContain('HF_EXTRACT_EMPTY: the query returned no usable row');
      expect(await page.content()).not.toMatch(/C0\d{4}/);
    });
  });

  test('can be read by whoever sees no picture', async () => {
    await visit('/?program=shop/churn', {}, async (page) => {
      expect(await page.locator('.histogram').getAttribute('aria-label')).toMatch(
        /^Histogram of the risk of 1,000 candidates: \d+ critical, \d+ high, \d+ medium$/,
      );
      expect(await page.locator('svg:not([aria-hidden="true"]):not([role="img"])').count()).toBe(0);
      expect(await page.locator('img:not([alt])').count()).toBe(0);
      expect(await page.locator('h1').count()).toBe(1);
      expect(await page.locator('html').getAttribute('lang')).toBe('en');
      expect(await page.locator('table').count()).toBe((await page.locator('table thead th[scope="col"]').count()) / 4);
      await page.getByLabel('Program').focus();
      await page
        .getByLabel('Program')
        .selectOption('a-program-with-a-name-as-long-as-kubernetes-lets-it-be-63-letters');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(/program=shop%2Fa-program/);
      expect(await page.locator('h1').innerText()).toContain('a-program-with-a-name');
    });
  });

  test.each(['light', 'dark'] as const)('has text that stands out from what it is on, in %s', async (colorScheme) => {
    await visit('/?program=shop/churn', { colorScheme }, async (page) => {
      const ratios = await page.evaluate(CONTRASTS);
      expect(ratios.length).toBeGreaterThan(50);
      expect(ratios.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
    });
  });

  test.each([
    ['/?program=shop/churn'],
    ['/?program=shop/a-program-with-a-name-as-long-as-kubernetes-lets-it-be-63-letters'],
    [`/?program=${encodeURIComponent(`shop/${NASTY}`)}`],
    ['/?program=shop/none'],
    ['/list?program=shop/churn&page=2'],
    ['/list?program=shop/hostile'],
    ['/list?program=shop/a-program-with-a-name-as-long-as-kubernetes-lets-it-be-63-letters'],
  ])('%s fits a telephone', async (path) => {
    await visit(path, { viewport: { width: 360, height: 740 } }, async (page) => {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    });
  });

  test('the list of whom to contact is reached, narrowed, paged and taken away by keyboard alone', async () => {
    await visit('/?program=shop/churn', { viewport: { width: 1280, height: 900 } }, async (page) => {
      const press = async (name: string | RegExp) => {
        await page.getByRole('link', { name, exact: typeof name === 'string' }).focus();
        await page.keyboard.press('Enter');
      };
      await press('Whom to contact');
      await page.waitForURL(/\/list\?program=shop%2Fchurn$/);
      expect(await page.locator('#list-title').innerText()).toBe('Everybody: 1 to 50 of 900');
      expect(await page.getByRole('row').count()).toBe(51);
      expect(await page.getByRole('columnheader').allInnerTexts()).toEqual([
        'Customer',
        'Risk',
        'Offer',
        'Recommended',
        'Reasons',
      ]);
      await press(/^High/);
      await page.waitForURL(/risk=high/);
      expect(await page.locator('#list-title').innerText()).toMatch(/^High risk: 1 to 50 of \d+$/);
      expect(await page.locator('[aria-current]').innerText()).toMatch(/^High/);
      await press('Next');
      await page.waitForURL(/page=2/);
      expect(await page.locator('#list-title').innerText()).toMatch(/^High risk: 51 to 100 of/);
      expect(new URL(page.url()).search).toMatch(/^\?program=shop%2Fchurn&risk=high&page=2&run=churn-1$/);
      const saving = page.waitForEvent('download');
      await press('CSV');
      const file = await saving;
      expect(file.suggestedFilename()).toBe('churn-1.csv');
      await file.cancel();
    });
  });

  test.each(['light', 'dark'] as const)(
    'every text of the list stands out from what is behind it (%s)',
    async (colorScheme) => {
      await visit('/list?program=shop/churn&page=2', { colorScheme }, async (page) => {
        const ratios = await page.evaluate(CONTRASTS);
        expect(ratios.length).toBeGreaterThan(100);
        expect(ratios.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
      });
    },
  );

  test('a table that a telephone lays out otherwise is still one to whoever hears it', async () => {
    await visit('/list?program=shop/hostile', { viewport: { width: 360, height: 740 } }, async (page) => {
      expect(await page.getByRole('table').getByRole('row').count()).toBeGreaterThan(5);
      expect(await page.getByRole('rowheader').count()).toBeGreaterThan(5);
      expect(await page.locator('main script, main img').count()).toBe(0);
    });
  });

  test('shows names of programs as text, whatever they are', async () => {
    await visit(`/?program=${encodeURIComponent(`shop/${NASTY}`)}`, {}, async (page) => {
      expect(await page.locator('h1').innerText()).toBe(NASTY);
      expect(await page.locator('script, main img').count()).toBe(0);
    });
  });
});
