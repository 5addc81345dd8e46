import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { parse, parseDocument } from 'yaml';
import { kinds } from '../../crds/kinds.ts';
import { testOnControlPlane } from '../cluster/availability.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';

/*
 * The oracle of the oracle: test/manifests.test.ts says what our own evaluator makes of each manifest, this says
 * what a real API server makes of it. Where the two differ, `holdfast validate` promises what `kubectl apply` does
 * not keep.
 */
const FOLDER = join(import.meta.dirname, '..', 'manifests');

/** Texts that we refuse to read and the server reads all the same; each with the reason why we stay stricter. */
const STRICTER: Readonly<Record<string, string>> = {
  'unknown-tag.yaml': 'the server drops the tag and takes what it stands on as text, which is not what was written',
};

const testOnServer = await testOnControlPlane();
let plane: ControlPlane;

beforeAll(async () => {
  plane = await startControlPlane({ controllerManager: false });
  for (const file of listed('good')) {
    for (const { metadata } of documentsOf(read('good', file)).map(headerOf)) {
      if (metadata?.namespace !== undefined)
        await plane.request('POST', '/api/v1/namespaces', { metadata: { name: metadata.namespace } });
    }
  }
}, 120_000);

afterAll(async () => {
  await plane?.stop();
}, 60_000);

function listed(folder: string): string[] {
  return readdirSync(join(FOLDER, folder)).sort();
}

function read(...names: string[]): string {
  return readFileSync(join(FOLDER, ...names), 'utf8');
}

interface Verdict {
  readonly accepted: boolean;
  /** What the server said against it. */
  readonly said: readonly string[];
}

interface Header {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
}

/** Where kubectl would send an object: by its kind, if the server has that. */
function pathOf({ apiVersion, kind, metadata }: Header): string {
  const plural = kinds().find((known) => known.kind === kind)?.plural ?? `${String(kind).toLowerCase()}s`;
  return `/apis/${apiVersion}/namespaces/${metadata?.namespace ?? 'default'}/${plural}`;
}

function headerOf(document: string): Header {
  try {
    const value: unknown = parseDocument(document, { logLevel: 'silent' }).toJS();
    if (typeof value === 'object' && value !== null && 'kind' in value) return value as Header;
  } catch {
    // Then it is sent where a program would go.
  }
  return { apiVersion: 'holdfast.dev/v1alpha1', kind: 'RetentionProgram' };
}

function documentsOf(text: string): string[] {
  return text.split(/^---.*$/m).filter((document) => /^[^#\s]/m.test(document));
}

/** Sends each document of a text as it is written, as `kubectl create --dry-run=server --validate=strict` does. */
async function judge(text: string): Promise<Verdict> {
  const documents = documentsOf(text);
  if (documents.length === 0) return { accepted: false, said: ['no objects passed to create'] };
  const said: string[] = [];
  for (const document of documents) {
    const path = `${pathOf(headerOf(document))}?dryRun=All&fieldValidation=Strict`;
    // kubectl resolves YAML itself; of the texts here that matters to merges only, which the server knows differently.
    const content = document.includes('<<:') ? parse(document, { merge: true }) : document;
    const { status, body } = await plane.request('POST', path, content);
    if (status !== 201) said.push(`${status} ${body.message ?? body}`);
  }
  return { accepted: said.length === 0, said };
}

testOnServer.each(listed('good'))('good/%s is taken by the API server', async (file) => {
  expect(await judge(read('good', file))).toEqual({ accepted: true, said: [] });
});

testOnServer.each(listed('bad'))('bad/%s is refused by the API server, unless only Holdfast can tell', async (file) => {
  const text = read('bad', file);
  const { accepted, said } = await judge(text);
  const expected = /^# class: runtime$/m.test(text) || file in STRICTER;
  expect({ accepted, said }).toEqual({ accepted: expected, said: expected ? [] : said });
});

testOnServer.each(listed('update'))('update/%s is judged by the API server as by us', async (folder) => {
  const old = parse(read('update', folder, 'old.yaml'));
  const text = read('update', folder, 'new.yaml');
  const created = await plane.request('POST', `${pathOf(old)}?fieldValidation=Strict`, old);
  expect(created.status).toBe(201);
  const path = `${pathOf(old)}/${created.body.metadata.name}`;
  try {
    const wanted = parse(text);
    wanted.metadata = { ...wanted.metadata, resourceVersion: created.body.metadata.resourceVersion };
    const { status } = await plane.request('PUT', `${path}?fieldValidation=Strict`, wanted);
    expect(status).toBe(text.includes('# expect: ') ? 422 : 200);
  } finally {
    await plane.request('DELETE', path);
  }
});

testOnServer('queries of more characters than a whole spec may have are refused by the API server', async () => {
  const minimal = parse(read('good', 'minimal.yaml'));
  const connectors = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      connectorId: `c${index}`,
      type: 'duckdb',
      config: { sample: {}, query: `SELECT ${'1'.repeat(60_000)}` },
    }));
  const judged = (count: number) =>
    judge(JSON.stringify({ ...minimal, spec: { ...minimal.spec, dataConnectors: connectors(count) } }));
  expect(await judged(4)).toEqual({ accepted: true, said: [] });
  expect((await judged(5)).said.join()).toContain('more than 262144 characters together');
});

testOnServer('the examples are taken', async () => {
  const examples = join(import.meta.dirname, '..', '..', 'examples');
  for (const file of readdirSync(examples).filter((name) => name.endsWith('.yaml'))) {
    expect([file, await judge(readFileSync(join(examples, file), 'utf8'))]).toEqual([
      file,
      { accepted: true, said: [] },
    ]);
  }
});
