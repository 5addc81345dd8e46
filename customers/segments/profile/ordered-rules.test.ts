import { expect, test } from '@jest/globals';
import { randomNumbers } from '../../../base/math/random-numbers.ts';
import { type GroupFigures, POSITIONS, type Position, positionOf, type Quartiles } from './group-figures.ts';
import { NAMES } from './names.ts';
import { firstRule, type OrderedRule, type ProfileCondition, ruleProblems } from './ordered-rules.ts';
import { PLAYBOOK } from './playbook.ts';

const among = (feature: string, ...positions: readonly Position[]): ProfileCondition => ({ feature, among: positions });
const rules = (...whens: readonly (readonly ProfileCondition[])[]): OrderedRule[] => whens.map((when) => ({ when }));
const REST: readonly ProfileCondition[] = [];

test('every rule of the tables there are has its turn, and every profile has a rule', () => {
  expect(ruleProblems(NAMES)).toEqual([]);
  expect(ruleProblems(PLAYBOOK)).toEqual([]);
});

test.each<[string, OrderedRule[], string[]]>([
  [
    'nothing for the rest',
    rules([among('spend_90d', 'high')]),
    ['there are profiles that no rule is for: end with a rule without conditions'],
  ],
  ['no rules at all', [], ['there are profiles that no rule is for: end with a rule without conditions']],
  [
    'Champions after those whom a wider rule takes',
    rules(
      [among('recency_days', 'lowest', 'low')],
      [among('recency_days', 'lowest'), among('spend_90d', 'highest')],
      REST,
    ),
    ['rule 2 is never reached: every profile that it is for meets a rule before it'],
  ],
  [
    'one that two others take together',
    rules(
      [among('recency_days', 'lowest', 'low', 'middle')],
      [among('recency_days', 'high', 'highest')],
      [{ feature: 'recency_days', is: 'at least', value: 3 }],
      REST,
    ),
    ['rule 3 is never reached: every profile that it is for meets a rule before it'],
  ],
  [
    'a range that two others take together',
    rules(
      [{ feature: 'spend_90d', is: 'under', value: 100 }],
      [{ feature: 'spend_90d', is: 'at least', value: 90 }],
      [among('spend_90d', 'middle')],
      REST,
    ),
    ['rule 3 is never reached: every profile that it is for meets a rule before it'],
  ],
  [
    'at least 10 and under 5',
    rules(
      [
        { feature: 'frequency_90d', is: 'at least', value: 10 },
        { feature: 'frequency_90d', is: 'under', value: 5 },
      ],
      REST,
    ),
    ['rule 1 can be met by no profile: its conditions contradict each other'],
  ],
  [
    'under nothing',
    rules([{ feature: 'spend_90d', is: 'under', value: 0 }], REST),
    ['rule 1 can be met by no profile: its conditions contradict each other'],
  ],
  [
    'more than all churned',
    rules([{ feature: 'proxy_churn', is: 'at least', value: 1.1 }], REST),
    ['rule 1 can be met by no profile: its conditions contradict each other'],
  ],
  [
    'all positions, which a snapshot without the feature still does not meet',
    rules([among('last_login_days', ...POSITIONS)], REST),
    [],
  ],
  [
    'one after the rest',
    rules(REST, [among('spend_90d', 'high')]),
    ['rule 2 is never reached: every profile that it is for meets a rule before it'],
  ],
])('%s', (_, table, problems) => {
  expect(ruleProblems(table)).toEqual(problems);
});

test('a feature that there is not, and a position of a share, are named', () => {
  expect(ruleProblems(rules([among('age', 'high')], [among('proxy_churn', 'high')], REST))).toEqual([
    expect.stringMatching(/^rule 1 asks for age, but the features are recency_days, /),
    'rule 2 asks for a position of proxy_churn, which has none: compare it with a share',
  ]);
});

test('what is said of random rules is what trying all profiles shows', () => {
  const random = randomNumbers(11);
  const pick = (below: number) => Math.floor(random() * below);
  const features = ['recency_days', 'spend_90d', 'proxy_churn'];
  let unreached = 0;
  for (let trial = 0; trial < 300; trial++) {
    const table = Array.from({ length: 2 + pick(6) }, () => ({
      when: Array.from({ length: pick(3) }, (): ProfileCondition => {
        const feature = features[pick(3)] as string;
        if (feature !== 'proxy_churn' && random() < 0.6)
          return among(feature, ...POSITIONS.filter(() => random() < 0.5));
        return {
          feature,
          is: random() < 0.5 ? 'at least' : 'under',
          value: pick(4) / (feature === 'proxy_churn' ? 3 : 1),
        };
      }),
    }));
    const first = new Set<number>();
    let isTotal = true;
    for (const [segment, everybody] of PROFILES) {
      const place = tryRule(table, segment, everybody);
      if (place === undefined) isTotal = false;
      else first.add(place);
    }
    const problems = ruleProblems(table);
    const said = problems
      .flatMap((problem) => /^rule (\d+)/.exec(problem)?.[1] ?? [])
      .map((number) => Number(number) - 1);
    expect(said).toEqual([...table.keys()].filter((place) => !first.has(place)));
    expect(problems.some((problem) => problem.startsWith('there are profiles'))).toBe(!isTotal);
    unreached += said.length;
  }
  expect(unreached).toBeGreaterThan(100);
});

function tryRule(table: readonly OrderedRule[], segment: GroupFigures, everybody: GroupFigures): number | undefined {
  try {
    return table.indexOf(firstRule(table, segment, everybody));
  } catch {
    return undefined;
  }
}

/** Each median from 0 to 4 in each position, or absent, of two features, with each share of thirds. */
const PROFILES = (() => {
  const around = (median: number): readonly Quartiles[] =>
    [
      [1, 2, 3],
      [-1, 1, 2],
      [0, 0, 0],
      [-2, -1, 1],
      [-3, -2, -1],
    ].map(([lower, middle, upper]) => ({
      lower: median + (lower as number),
      median: median + (middle as number),
      upper: median + (upper as number),
    }));
  const options = [0, 1, 2, 3, 4].flatMap((median) =>
    around(median).map((all) => [{ lower: median, median, upper: median }, all] as const),
  );
  const all: (readonly [Quartiles, Quartiles] | undefined)[] = [...options, undefined];
  return all.flatMap((recency) =>
    all.flatMap((spend) =>
      [0, 1, 2, 3].map((churned) => {
        const figures = (place: 0 | 1): GroupFigures => ({
          customers: 3,
          churned,
          quartiles: {
            ...(recency === undefined ? {} : { recency_days: recency[place] }),
            ...(spend === undefined ? {} : { spend_90d: spend[place] }),
          },
        });
        return [figures(0), figures(1)] as const;
      }),
    ),
  );
})();

test.each<[number, Quartiles, Position]>([
  [1, { lower: 1, median: 2, upper: 3 }, 'lowest'],
  [1.5, { lower: 1, median: 2, upper: 3 }, 'low'],
  [2, { lower: 1, median: 2, upper: 3 }, 'middle'],
  [2.5, { lower: 1, median: 2, upper: 3 }, 'high'],
  [3, { lower: 1, median: 2, upper: 3 }, 'highest'],
  [0, { lower: 0, median: 0, upper: 0 }, 'middle'],
  [0.1, { lower: 0, median: 0, upper: 0 }, 'highest'],
  [0, { lower: 0, median: 1, upper: 1 }, 'lowest'],
])('%d of %j is %s', (median, quartiles, position) => {
  expect(positionOf(median, quartiles)).toBe(position);
});
