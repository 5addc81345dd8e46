import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import type { Pipelines } from '../../contract/pipelines.ts';
import { definitionText } from '../../crds/definition.ts';
import { kinds } from '../../crds/kinds.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import type { ApiRequest } from './api-request.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'crds');
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * Gives the API server our kinds and waits until it serves them.
 * @param pipelines those of another table than ours
 * @throws Error with what it said when it takes one not, or warns about one
 */
export async function installDefinitions(request: ApiRequest, pipelines?: Pipelines): Promise<void> {
  const definitions = pipelines === undefined ? await generated() : kinds(PROVIDERS, pipelines).map(definitionText);
  for (const definition of definitions) {
    const { metadata, spec } = parse(definition);
    const { status, body } = await request('POST', DEFINITIONS, definition);
    if (status !== 201) throw new Error(`${metadata.name}: ${status} ${body.message ?? body}`);
    for (const version of spec.versions) {
      const path = `/apis/${spec.group}/${version.name}/${spec.names.plural}?limit=1`;
      await served(request, path, `${DEFINITIONS}/${body.metadata.name}`);
    }
  }
}

/** As the release has them. */
async function generated(): Promise<readonly string[]> {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'));
  return await Promise.all(files.map((file) => readFile(join(FOLDER, file), 'utf8')));
}

async function served(request: ApiRequest, path: string, definition: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await request('GET', path)).status === 200) return;
    await pause(50);
  }
  const { body } = await request('GET', definition);
  throw new Error(`${path} is not served: ${JSON.stringify(body.status?.conditions)}`);
}
