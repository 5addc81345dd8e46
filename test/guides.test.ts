import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { loadManifests, validateManifest } from '../crds/index.ts';
import { type FilterManifest, predicateOf } from '../customers/filters/resolve.ts';
import { parseModelManifest } from '../providers/models/model-card.ts';

/** The fenced examples of a guide in one language. */
async function examples(guide: string, language: string): Promise<string[]> {
  const text = await readFile(join(import.meta.dirname, '../docs/guides', guide), 'utf8');
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, found, body]) =>
    found === language && body ? [body] : [],
  );
}

test('every filter in the guide is one that a program can have', async () => {
  const filters = (await examples('filters.md', 'yaml')).flatMap((text) => parse(text) as FilterManifest[]);
  expect(filters).toHaveLength(6);
  const program = { marketplaces: ['US'], subscriptionTiers: ['basic', 'standard', 'premium', 'premium_plus'] };
  for (const filter of filters) expect(() => predicateOf(filter, program)).not.toThrow();
});

test('the JSON in the guide is that of the model in the guide', async () => {
  const [json] = await examples('models.md', 'json');
  const [yaml] = await examples('models.md', 'yaml');
  const manifest = parseModelManifest(json ?? '', 'guide', 'churn-risk-v6');
  const { scoringModels } = parse(yaml ?? '') as {
    scoringModels: { modelId: string; features: string[]; sha256: string }[];
  };
  expect(scoringModels).toMatchObject([
    { modelId: manifest.modelId, features: manifest.features, sha256: manifest.sha256 },
  ]);
});

test('the connectors in the guide are such that a program can have', async () => {
  const connectors = (await examples('warehouses.md', 'yaml')).flatMap((text) => parse(text) as object[]);
  const minimal = parse(await readFile(join(import.meta.dirname, 'manifests/good/minimal.yaml'), 'utf8'));
  minimal.spec.dataConnectors = connectors;
  expect(connectors).toHaveLength(3);
  expect(loadManifests(stringify(minimal), 'guide').flatMap((one) => validateManifest(one).faults)).toEqual([]);
});
