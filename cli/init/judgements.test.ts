import { describe, expect, test } from '@jest/globals';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { leak } from '../../customers/training/leaks.ts';
import { canMakeScorecard, makeScorecard } from '../../customers/training/scorecard.ts';
import { train } from '../../customers/training/train.ts';
import { typicalOf } from '../../customers/training/typical.ts';
import { readCountries } from './countries.ts';
import { proposeFilters } from './filter-chain.ts';
import { isAfterwards, isLabelName } from './label.ts';
import type { ColumnProfile } from './profile.ts';
import { proposeLevels } from './risk-levels.ts';
import { tierOrder } from './tiers.ts';
import { wordsOf } from './words.ts';

const countries = (values: Readonly<Record<string, number>>, words = 'country') =>
  readCountries({
    name: 'Country',
    words,
    type: 'VARCHAR',
    values: Object.entries(values).map(([value, rows]) => ({ value, rows })),
  } as unknown as ColumnProfile);

describe('countries', () => {
  test.each([
    ['Germany', 'DE'],
    ['fr', 'FR'],
    ['UK', 'GB'],
    ['GB', 'GB'],
    ['GBR', 'GB'],
    ['EL', 'GR'],
    ['EIRE', 'IE'],
    ['USA', 'US'],
    ['U.S.A.', 'US'],
    ['United States of America', 'US'],
    ['The Netherlands', 'NL'],
    ['Korea, Republic of', 'KR'],
    ["Korea, Democratic People's Republic of", 'KP'],
    ['Congo, The Democratic Republic of the', 'CD'],
    ['Bolivia (Plurinational State of)', 'BO'],
    ['St. Lucia', 'LC'],
    ['Cote d’Ivoire', 'CI'],
    ['Czech Republic', 'CZ'],
    ['Österreich', 'AT'],
    ['Turkey', 'TR'],
    ['no', 'NO'],
    ['Unspecified', undefined],
    ['Channel Islands', undefined],
    ['XX', undefined],
    ['Narnia', undefined],
  ])('%s is %s', (text, code) => {
    expect(countries({ [text]: 1, Japan: 1 })?.marketplaces.filter((one) => one !== 'JP')).toEqual(
      code === undefined ? [] : [code],
    );
  });

  test('what names none is missing and named with its rows; the others are what they are', () => {
    const read = countries({ Germany: 900, Narnia: 7, Oz: 3 });
    expect(read).toMatchObject({ marketplaces: ['DE'], known: 900 / 910 });
    expect(read?.warning).toMatch(/10 rows .*: Narnia \(7 rows\), Oz \(3 rows\)/);
    expect(read?.expression).toContain("WHEN 'germany' THEN 'DE' END");
  });

  test('NA among codes may be Namibia or a missing value: it is named, and missing', () => {
    expect(countries({ DE: 9, NA: 2 })).toMatchObject({
      marketplaces: ['DE'],
      warning: expect.stringMatching(/NA \(2 rows\)/),
    });
  });

  test('a region that is hardly one of countries is none, nor are codes of states that happen to be some', () => {
    expect(countries({ North: 60, Georgia: 40 }, 'region')).toBeUndefined();
    expect(countries({ CA: 60, DE: 40, TX: 1 }, 'region')).toBeUndefined();
    expect(countries({ France: 60, Spain: 40, '?': 3 }, 'geography')?.marketplaces).toEqual(['ES', 'FR']);
  });
});

test('tiers of known rank are ordered, others are not guessed at', () => {
  expect(tierOrder(['Premium', 'Basic', 'free', 'standard'])).toEqual(['free', 'basic', 'standard', 'premium']);
  expect(tierOrder(['Basic', 'Plan B'])).toBeUndefined();
});

test.each([
  ['RetentionCalls', true],
  ['MadeCallToRetentionTeam', true],
  ['churn_reason', true],
  ['CancelDate', true],
  ['Exit Interview', true],
  ['tenure', false],
  ['exclusive', false],
  ['leftover_credit', false],
  ['TechSupport', false],
])('%s is known only afterwards: %s', (name, afterwards) => {
  expect(isAfterwards({ words: wordsOf(name) } as ColumnProfile)).toBe(afterwards);
});

test.each([
  ['churn_90', true],
  ['churned_30d', true],
  ['churn90', true],
  ['churn_next_month', true],
  ['churned_within_90_days', true],
  ['is_churn_in_next_3_months', true],
  ['will_churn', true],
  ['target_churn', true],
  ['ChurnLabel', true],
  ['Attrition_Flag', true],
  ['has_left', true],
  ['account_closed', true],
  ['lapsed_12m', true],
  ['churn_score', false],
  ['churn_probability', false],
  ['churn_risk', false],
  ['churn_reason', false],
  ['churn_date', false],
  ['left_handed', false],
  ['exit_page', false],
  ['lost_items', false],
  ['cancelled_orders', false],
  [`churn_${'9'.repeat(300)}x`, false],
])('%s is named like a label: %s', (name, is) => {
  expect(isLabelName(wordsOf(name))).toBe(is);
});

describe('risk levels', () => {
  const even = Float64Array.from({ length: 1000 }, (_, index) => index / 1000);

  test("are the use case's for probabilities that reach them", () => {
    expect(proposeLevels(even, true)).toMatchObject({ critical: 0.8, high: 0.6, medium: 0.4 });
  });
  test('are those of the riskiest 1, 4 and 10 % for other scores', () => {
    const { critical, high, medium } = proposeLevels(even, false);
    const share = (level: number) => even.filter((score) => score >= level).length / 1000;
    expect([critical, high, medium].map((level) => Math.round(100 * share(level)))).toEqual([1, 4, 10]);
  });
  test('say how many reach them, where many have one score', () => {
    const few = Float64Array.from({ length: 200 }, (_, index) => (index < 150 ? 0.2 : 0.7));
    expect(proposeLevels(few, false).comment).toMatch(
      /^Meant are the riskiest 1 %, 4 % and 10 % of the customers, since the scores are no probabilities; 0\.0 %, 25\.0 % and 25\.0 % reach them\.$/,
    );
  });
  test.each([
    ['nobody', []],
    ['one', [0.5]],
    ['all the same', Array.from({ length: 50 }, () => 1)],
    ['all certain to stay', [0, 0, 0]],
  ])('fall and lie from 0 to 1 for %s', (_, scores) => {
    for (const calibrated of [true, false]) {
      const { critical, high, medium } = proposeLevels(Float64Array.from(scores), calibrated);
      expect(critical > high && high > medium && critical <= 1 && medium >= 0).toBe(true);
    }
  });
});

test('a filter is left out where its columns are missing, or hardly anybody would pass', () => {
  const figures = { lowerQuarterOfValue: undefined, shareWithSignal: 0, shareActive: undefined };
  const { filters, leftOut } = proposeFilters([{ column: 'days_since_last_purchase' }] as never, figures);
  expect(filters.map(({ filter }) => filter.filterId)).toEqual(['frequency-cap']);
  expect(leftOut.map(({ filterId }) => filterId)).toEqual(['trust', 'churn-signal', 'customer-value', 'eligibility']);
  expect(leftOut.at(-1)?.reason).toBe('needs opted_out: without it, whoever refused offers may be contacted');
});

describe('training', () => {
  const rows = 4000;
  const random = randomNumbers(2);
  const signal = Float64Array.from({ length: rows }, () => random() * 2 - 1);
  const noise = Float64Array.from({ length: rows }, () => (random() < 0.1 ? Number.NaN : random()));
  const labels = Uint8Array.from(signal, (value) => (random() < 1 / (1 + Math.exp(1 - 3 * value)) ? 1 : 0));
  const data = { names: ['noise', 'signal'], columns: [noise, signal], rows };

  test('finds the signal, is calibrated on rows held out, and is the same for the same seed', () => {
    const trained = train(data, labels, randomNumbers(1));
    expect(trained.model.features[0]).toBe('signal');
    expect(trained.auc).toBeGreaterThan(0.78);
    expect(trained.calibrated).toBe(true);
    expect(trained.trainingRows + trained.holdoutRows).toBe(rows);
    expect(train(data, labels, randomNumbers(1))).toEqual(trained);
    expect(train(data, labels, randomNumbers(2)).holdoutRows).not.toBe(trained.holdoutRows);
  });
  test('labels that nothing predicts give no better than guessing', () => {
    const random = randomNumbers(8);
    const shuffled = labels.map(() => (random() < 0.3 ? 1 : 0));
    expect(Math.abs(train(data, shuffled, randomNumbers(1)).auc - 0.5)).toBeLessThan(0.08);
  });
});

describe('a column that knows the answer is found out', () => {
  const random = randomNumbers(5);
  const labels = Uint8Array.from({ length: 2000 }, () => (random() < 0.25 ? 1 : 0));
  const column = (of: (label: number, chance: number) => number) =>
    Float64Array.from(labels, (label) => of(label, random()));
  const none = Number.NaN;

  test.each<[string, boolean, Float64Array[]]>([
    ['its values', true, [column((label) => label * 5)]],
    ['being there at all', true, [column((label) => (label === 1 ? 7 : none))]],
    [
      'its texts together, where none of them would do',
      true,
      [column((label, chance) => (label === 1 && chance < 0.5 ? 1 : 0)), column((label) => label)],
    ],
    [
      'being filled for some who left',
      true,
      [column((label, chance) => (label === 1 && chance < 0.2 ? 7 * chance : none))],
    ],
    [
      'being missing for some who left',
      true,
      [column((label, chance) => (label === 1 && chance < 0.2 ? none : chance))],
    ],
    [
      'being filled for some who stayed',
      true,
      [column((label, chance) => (label === 0 && chance < 0.2 ? chance : none))],
    ],
    ['a value of some who left', true, [column((label, chance) => (label === 1 && chance < 0.2 ? 1 : 0))]],
    ['an amount of some who left', true, [column((label, chance) => (label === 1 && chance < 0.2 ? chance : 0))]],
    ['nothing, since it is noise', false, [column((_, chance) => chance)]],
    ['nothing, since it is missing by chance', false, [column((_, chance) => (chance < 0.1 ? none : chance))]],
    ['nothing, since it is a strong sign', false, [column((label, chance) => label + 2 * chance)]],
    ['nothing, since few rows have it', false, [column((label, chance) => (label === 1 && chance < 0.01 ? 1 : 0))]],
    [
      'nothing, since a lock-in keeps people',
      false,
      [column((label, chance) => (label === 0 && chance < 0.3 ? 1 : 0))],
    ],
  ])('by %s: %s', (_, leaks, numbers) => {
    expect(leak(numbers, labels) !== undefined).toBe(leaks);
  });
});

test.each<[string, number[], number[] | undefined]>([
  ['a value that some row has', [4, 1, 3, 2], [2]],
  ['yes or no, where as many say the one as the other', [1, 0, 1, 0], [0]],
  ['of what is known', [Number.NaN, 5, 7, 6, Number.NaN], [6]],
  ['nothing where no row has a value', [Number.NaN, Number.NaN], undefined],
])('what is typical of a column is %s', (_, values, typical) => {
  expect(typicalOf([Float64Array.from(values)])).toEqual(typical);
});

test('tenure and tickets alone make no scorecard, and a figure without a value is not in it', () => {
  expect(canMakeScorecard(['subscription_tenure', 'support_tickets'])).toBe(false);
  expect(canMakeScorecard(['days_since_last_login'])).toBe(true);
  const columns = [Float64Array.of(Number.NaN, Number.NaN), Float64Array.of(1, 2)];
  const { figures } = makeScorecard({ names: ['login_frequency', 'days_since_last_login'], columns, rows: 2 });
  expect(figures.map(({ feature, highIsRisky }) => [feature, highIsRisky])).toEqual([['days_since_last_login', true]]);
});
