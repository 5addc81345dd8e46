import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf, missingBrowser, openBrowser } from '../../../../test/support/browser.ts';
import { CONTRASTS } from '../../../../test/support/contrasts.ts';
import { judge } from '../../gates.ts';
import type { FeatureTransform } from '../../transform.ts';
import type { GroupFigures } from '../group-figures.ts';
import { reportOf, type SegmentReport } from '../report.ts';
import { segmentPage } from './page.ts';

const missing = missingBrowser();
if (missing !== undefined) console.warn(missing);

const NASTY = '"><script>alert(1)</script><img src=https://example.org/x onerror=alert(2)>';
const LONG = 'x'.repeat(200);
const FEATURES = ['recency_days', 'frequency_90d', 'spend_90d'];
const TRANSFORMS: FeatureTransform[] = FEATURES.map((feature, place) => ({
  feature,
  logarithm: feature === 'spend_90d',
  cap: 1e9,
  mean: [40, 2, 5][place] as number,
  scale: [40, 2, 2][place] as number,
  missing: 0,
}));

function figures(customers: number, churned: number, medians: readonly number[]): GroupFigures {
  const quartiles = FEATURES.map((feature, place) => {
    const median = medians[place] as number;
    return [feature, { lower: median * 0.5, median, upper: median * 1.5 + 1 }] as const;
  });
  return { customers, churned, quartiles: Object.fromEntries(quartiles) };
}

/** Eight segments, after seven months of the same; the last has five customers if asked. */
function report(
  called: (segment: number) => string = (segment) => `Segment called ${segment}`,
  last = 200,
): SegmentReport {
  const sizes = [900, 800, 700, 600, 500, 400, 300, last];
  const segments = sizes.map((customers, index) => ({
    segment: index + 1,
    figures: figures(customers, index === 1 ? customers : Math.floor(customers / 10), [
      10 + 15 * index,
      8 - index,
      900 / (index + 1),
    ]),
  }));
  const named = segments.map(({ segment }) => ({ name: called(segment), segment }));
  const groups = [...named, { name: 'Lapsed', segment: undefined }];
  return reportOf({
    series: called(0),
    snapshotDate: '2011-12-01',
    currency: 'GBP',
    isPublished: false,
    segments,
    everybody: figures(4200 + last, 1142, [40, 2, 300]),
    transforms: TRANSFORMS,
    before: new Map(named.map(({ segment, name }) => [segment, { name, ruleName: name }])),
    rules: new Map(named.map(({ segment }) => [segment, `last purchase under ${90 + segment} days ago`])),
    groups: [{ name: 'Lapsed', customers: 847 }],
    history: Array.from({ length: 7 }, (_, month) => ({
      date: `2011-0${month + 1}-01`,
      sizes: named.map(({ segment, name }, index) => ({ segment, name, customers: sizes[index] as number })),
    })),
    migration: {
      since: '2011-11-01',
      from: groups,
      to: groups,
      both: groups.map((_, i) => groups.map((__, j) => (i === j ? 200 : ((i * 7 + j * 5) % 30) + 3))),
      gone: groups.map(() => 0),
      arrived: groups.map(() => 20),
      moves: { stayed: 1600, customerChanged: 800, modelChanged: 90 },
    },
    gates: judge({
      segments: sizes.map((customers, index) => ({
        id: index + 1,
        share: customers / (4200 + last),
        proxyChurn: index === 1 ? 1 : 0.1,
        rule: { precision: 0.9, recall: 0.7 },
      })),
      proxyChurn: 0.27,
      silhouette: 0.4,
      missing: [{ feature: 'spend_90d', share: 0.06 }],
      before: undefined,
      forward: undefined,
    }),
    proxyChurn: 'no purchase for more than 60 days',
  });
}

(missing === undefined ? describe : describe.skip)('the page of a snapshot in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function visit(
    of: SegmentReport,
    options: BrowserContextOptions,
    look: (page: Page) => Promise<void>,
  ): Promise<void> {
    const context = await browser.newContext(options);
    try {
      const page = await context.newPage();
      const complaints = complaintsOf(page);
      page.on('request', (request) => complaints.push(request.url()));
      await page.setContent(segmentPage(of));
      await look(page);
      expect(complaints).toEqual([]);
    } finally {
      await context.close();
    }
  }

  const SIZES = [360, 1280].flatMap((width) =>
    (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
  );

  test.each(SIZES)(
    'fits $width pixels and is readable in $colorScheme, with all tables open',
    async ({ width, colorScheme }) => {
      await visit(report(), { viewport: { width, height: 740 }, colorScheme }, async (page) => {
        await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
        const ratios = await page.evaluate(CONTRASTS);
        expect(ratios.length).toBeGreaterThan(200);
        expect(ratios.filter(({ ratio }) => ratio < 4.5)).toEqual([]);
        // Text of pictures is not smaller than a telephone's reader can read.
        const heights = await page.evaluate(TEXT_HEIGHTS);
        expect(Math.min(...heights)).toBeGreaterThan(9);
        expect(await page.evaluate(OUTSIDE)).toEqual([]);
      });
    },
  );

  test.each([
    ['hostile', () => NASTY],
    ['long', () => LONG],
    ['empty', () => ''],
  ])('%s names are text', async (_, called) => {
    await visit(
      report((segment) => `${called()}${segment}`),
      { viewport: { width: 360, height: 740 } },
      async (page) => {
        expect(await page.locator('h1').innerText()).toContain(`${called()}0`);
        expect(await page.locator('script, img, a, link').count()).toBe(0);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
        expect(await page.evaluate(OUTSIDE)).toEqual([]);
      },
    );
  });

  test('can be read by whoever sees no picture', async () => {
    await visit(report(), {}, async (page) => {
      const pictures = page.locator('svg:not([aria-hidden="true"])');
      const count = await pictures.count();
      // Risk, sizes, migration, and one for each segment.
      expect(count).toBe(3 + 8);
      expect(await page.locator('svg[role="img"][aria-labelledby] > title + desc').count()).toBe(count);
      expect(await page.locator('table').count()).toBe(count);
      const ids = await page.locator('[id]').evaluateAll((all) => all.map((one) => one.id));
      expect(new Set(ids).size).toBe(ids.length);
      expect(await page.locator('h1').count()).toBe(1);
      expect(await page.locator('#risk table').evaluate((table) => table.textContent)).toContain(
        'Segment called 2800100 %',
      );
    });
  });

  test('says what proxy churn is, that the snapshot was rejected, and why', async () => {
    await visit(report(), {}, async (page) => {
      expect(await page.locator('footer').innerText()).toContain('Proxy churn: no purchase for more than 60 days');
      expect(await page.locator('.note').innerText()).toContain('was rejected');
      expect(await page.locator('#gates li', { hasText: 'rejects' }).allInnerTexts()).toContain(
        'Does not hold: rejects: the rule of segment 1 has precision 0.90 and recall 0.70. What to do: try fewer segments, or fewer features.',
      );
      expect(await page.locator('#risk').innerText()).toContain('What came later: no snapshot is old enough.');
    });
  });

  test('of a segment of five there is nothing to see', async () => {
    const few = report(undefined, 5);
    await visit(few, {}, async (page) => {
      expect(await page.locator('svg[id^="quartiles"], svg[aria-labelledby^="quartiles"]').count()).toBe(7);
      const text = await page.locator('body').evaluate((body) => body.textContent ?? '');
      // Neither its count, nor its share or its rule, nor those of the next smallest, which would tell them.
      expect(text).not.toMatch(/\b0\.12 %|98 days|0\.119|7\.1 %/);
      expect(await page.locator('#gates').innerText()).toContain('the figure is withheld');
    });
    expect(few.profiles.slice(6).map(({ customers, share, proxyChurn }) => [customers, share, proxyChurn])).toEqual([
      [undefined, undefined, undefined],
      [undefined, undefined, undefined],
    ]);
    expect(few.history.map(({ sizes }) => sizes.slice(6).map(({ customers }) => customers))).toEqual(
      few.history.map(() => [undefined, undefined]),
    );
  });

  test('the first snapshot of a shop without customers is a page, too', async () => {
    const empty = reportOf({
      series: 'none',
      snapshotDate: '2011-12-01',
      isPublished: true,
      segments: [],
      everybody: { customers: 0, churned: 0, quartiles: {} },
      transforms: [],
      rules: new Map(),
      groups: [],
      history: [],
      gates: [],
      proxyChurn: 'no purchase for more than 60 days',
    });
    await visit(empty, { viewport: { width: 360, height: 740 } }, async (page) => {
      expect(await page.locator('body').innerText()).not.toMatch(/NaN|undefined|Infinity/);
      expect(await page.locator('#migration').innerText()).toContain('no snapshot before');
    });
  });
});

test('the same report makes the same page, which asks for nothing', () => {
  const page = segmentPage(report());
  expect(segmentPage(report())).toBe(page);
  expect(page).not.toMatch(/https?:|url\(|@import|NaN|undefined/);
});

/** Height of the letters of pictures as they are shown; runs in the page. */
const TEXT_HEIGHTS =
  `[...document.querySelectorAll('svg text')].filter((text) => text.textContent.trim() !== '').map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)` as unknown as () => number[];

/** Texts that a picture cuts off; runs in the page. */
const OUTSIDE = `[...document.querySelectorAll('svg text')].filter((text) => {
  const [own, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
  return own.left < all.left - 1 || own.right > all.right + 1;
}).map((text) => text.textContent)` as unknown as () => string[];
