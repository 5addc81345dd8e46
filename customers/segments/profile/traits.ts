import { type FeatureUnit, featureOf, sayable, withUnit } from '../features.ts';
import { applyTransform, type FeatureTransform } from '../transform.ts';
import type { GroupFigures } from './group-figures.ts';

/** A feature in which a segment is unlike everybody. */
export interface Trait {
  readonly feature: string;
  readonly is: 'more' | 'less';
  /** Distance of the segment's median from everybody's, in standard deviations as clustering has them. */
  readonly distance: number;
  readonly sentence: string;
}

const TRAITS = 2;
/** A third is told from this distance. */
const FAR = 0.5;

/**
 * What sets a segment apart: the two or three features whose medians are farthest from everybody's; of equals the one that
 * stands first in the table of features. Values whose words are the same are no difference.
 */
export function traitsOf(
  segment: GroupFigures,
  everybody: GroupFigures,
  transforms: readonly FeatureTransform[],
  currency?: string,
): Trait[] {
  return transforms
    .flatMap((transform): Trait[] => {
      const { feature } = transform;
      const [own, all] = [segment.quartiles[feature]?.median, everybody.quartiles[feature]?.median];
      if (own === undefined || all === undefined) return [];
      const [ownWords, allWords] = [own, all].map((value) => figureInWords(value, feature, currency));
      const distance = Math.abs(transformed(transform, own) - transformed(transform, all));
      if (distance === 0 || ownWords === allWords) return [];
      const is = own > all ? 'more' : 'less';
      const sentence = `${featureOf(feature)[is]}: typically ${ownWords}, against ${allWords} of everybody`;
      return [{ feature, is, distance, sentence }];
    })
    .toSorted((one, other) => other.distance - one.distance)
    .filter(({ distance }, place) => place < TRAITS || (place === TRAITS && distance >= FAR));
}

/** A value as clustering sees it. */
export function transformed(transform: FeatureTransform, value: number): number {
  const into = new Float32Array(1);
  applyTransform(transform, Float64Array.of(value), into);
  return into[0] as number;
}

/** A median or quartile in its unit; halves of a purchase, which medians have, stay. */
export function figureInWords(value: number, feature: string, currency?: string): string {
  const { unit } = featureOf(feature);
  return withUnit(isCount(unit) ? Number(value.toFixed(1)) : sayable(value, unit), unit, currency);
}

const isCount = (unit: FeatureUnit): boolean => unit === 'purchases' || unit === 'tickets';
