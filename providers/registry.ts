import { FEATURE_STORES, type FeatureStores } from './feature-stores/index.ts';
import { MODELS, type Models } from './models/index.ts';
import { WAREHOUSES, type Warehouses } from './warehouses/index.ts';

/** What this version can reach outside. An argument wherever it is read, so that a test can give its own. */
export interface Providers {
  readonly warehouses: Warehouses;
  readonly featureStores: FeatureStores;
  readonly models: Models;
}

export const PROVIDERS: Providers = { warehouses: WAREHOUSES, featureStores: FEATURE_STORES, models: MODELS };
