import { identifier } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import type { ColumnShape } from '../../base/duckdb/parquet.ts';
import { HoldfastError } from '../../base/errors.ts';
import type { ModelManifest } from './model.ts';

/** What a person can do about a column that a program needs and its query does not give. */
export const WHERE_FROM = 'select it in the query, or name a featureStore that has it.';

/** Whether a model can take a type as a number; a boolean becomes 0 or 1. */
export function isFeatureType(type: string): boolean {
  return type === 'BOOLEAN' || isNumeric(type);
}

/**
 * A model's features as SQL expressions of doubles, in its order; a missing value is NaN.
 * @throws HF_COLUMN_MISSING, HF_MODEL_REFUSED naming every column that is not there or is not a number
 */
export function featureExpressions(manifest: ModelManifest, columns: readonly ColumnShape[]): string[] {
  const types = new Map(columns.map(({ name, type }) => [name.toLowerCase(), type]));
  const missing = manifest.features.filter((name) => !types.has(name.toLowerCase()));
  if (missing.length > 0) {
    throw new HoldfastError(
      'HF_COLUMN_MISSING',
      `Model ${manifest.modelId} needs ${missing.join(', ')}, which the batch does not have: ` + WHERE_FROM,
    );
  }
  const others = manifest.features.flatMap((name) => {
    const type = types.get(name.toLowerCase()) ?? '';
    return isFeatureType(type) ? [] : [`${name} (${type})`];
  });
  if (others.length > 0) {
    throw new HoldfastError(
      'HF_MODEL_REFUSED',
      `Model ${manifest.modelId} has features that are not numbers: ${others.join(', ')}. Cast them in the query, or train the model on numbers.`,
    );
  }
  return manifest.features.map((name) => `coalesce(CAST(${identifier(name)} AS DOUBLE), CAST('NaN' AS DOUBLE))`);
}
