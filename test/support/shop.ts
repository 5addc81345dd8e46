import { afterAll, beforeAll } from '@jest/globals';
import { openPostgres, type TestPostgres } from './postgres.ts';
import { type Workspace, workspace } from './workspace.ts';

export interface Shop {
  readonly shop: Workspace;
  readonly postgres: TestPostgres;
}

/** Opens a workspace and a Postgres for all tests of a file, and gives them back after the last. */
export function useShop(opened: (shop: Shop) => void): void {
  const resources: AsyncDisposable[] = [];
  beforeAll(async () => {
    const shop = await workspace();
    resources.unshift(shop);
    const postgres = await openPostgres();
    resources.unshift(postgres);
    opened({ shop, postgres });
  });
  afterAll(async () => {
    for (const resource of resources) await resource[Symbol.asyncDispose]();
  });
}
