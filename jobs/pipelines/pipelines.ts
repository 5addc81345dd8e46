import type { Stage } from '../run/stage.ts';

export interface StageDefinition {
  readonly name: string;
  /** What it does, for people. */
  readonly description: string;
  /** Loads the stage's code, and with it the drivers that it needs. */
  readonly load: () => Promise<Stage>;
}

/**
 * The pipelines and their stages, in order: the one table that the laptop, the operator and the pods read.
 * A stage is loaded only where it runs.
 */
export const PIPELINES = {
  batch: [
    {
      name: 'extract',
      description: 'reads the warehouse, completes and checks every row, finds churn signals',
      load: async () => (await import('../retention/extract.ts')).extract,
    },
    {
      name: 'filter',
      description: 'applies the filter chain in order',
      load: async () => (await import('../retention/filter.ts')).filter,
    },
    {
      name: 'score',
      description: 'asks the models for churn risk and the most effective offer',
      load: async () => (await import('../retention/score.ts')).score,
    },
    {
      name: 'offer',
      description: 'decides offer, variant and holdout for each candidate',
      load: async () => (await import('../retention/offer.ts')).offer,
    },
    {
      name: 'store',
      description: 'publishes the batch in Postgres, whole or not at all',
      load: async () => (await import('../retention/store.ts')).store,
    },
  ],
} as const satisfies Record<string, readonly StageDefinition[]>;

export type PipelineName = keyof typeof PIPELINES;
