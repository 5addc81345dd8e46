import type { TObject, TSchema } from 'typebox';
import type { Route } from '../http/route.ts';
import { pathParameters, problem } from '../http/schemas.ts';
import { candidate } from './candidate.ts';
import { DOWNLOADS, type Download } from './downloads.ts';
import { ROUTES } from './routes.ts';
import { program, run } from './schemas.ts';

type Json = { [key: string]: unknown };

/** Schemas that are shown once and referred to. */
const NAMED: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [candidate, 'Candidate'],
  [run, 'Run'],
  [program, 'Program'],
  [problem, 'Problem'],
  ...ROUTES.map(({ response, responseName }) => [response, responseName] as const),
]);

const PROBLEMS = {
  400: 'A parameter is unknown, given twice or wrong; `errors` names each.',
  401: 'The token is missing or wrong.',
  403: 'The token is for other namespaces.',
  404: 'There is no such namespace, program, run or customer.',
  406: 'Something else than application/json is asked for.',
  410: 'The batch that a cursor goes on in is no longer there as it was.',
  429: 'So many files are under way for what the token opens as may be; try again after `Retry-After` seconds.',
  503: 'Postgres is away or has no tables yet; try again after `Retry-After` seconds.',
  504: 'Postgres took too long.',
} as const;

/** The API in OpenAPI 3.1, from the schemas that check requests. */
export function openapiDocument(version: string): Json {
  const schemas = [...NAMED].map(([schema, name]) => [name, shown(schema, true)] as const);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Holdfast',
      version,
      description: 'Candidates, programs and runs, to read. docs/guides/api.md has examples.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths: Object.fromEntries([
      ...ROUTES.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map((route) => [route.path, { get: operation(route) }]),
      ...DOWNLOADS.map((one) => [one.path, { get: downloadOperation(one) }] as const),
      ...OPERATIONAL.map(({ path, summary, type, open }) => [path, { get: operational(path, summary, type, open) }]),
    ]),
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Printed by `holdfast serve`.' } },
      schemas: Object.fromEntries(schemas.toSorted(([a], [b]) => (a < b ? -1 : 1))),
      responses: Object.fromEntries(
        Object.entries(PROBLEMS).map(([status, description]) => [
          `Problem${status}`,
          {
            description,
            content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
          },
        ]),
      ),
    },
  };
}

const OPERATIONAL = [
  { path: '/healthz', summary: 'Whether the process is alive.', type: 'text/plain', open: true },
  { path: '/readyz', summary: 'Whether it can answer, or what it waits for.', type: 'text/plain', open: true },
  { path: '/metrics', summary: 'For Prometheus.', type: 'text/plain', open: false },
] as const;

function operation({ path, operationId, summary, query, response }: Route): Json {
  return {
    operationId,
    summary,
    parameters: parametersOf(path, query),
    responses: {
      200: { description: 'What was asked for.', content: { 'application/json': { schema: shown(response) } } },
      ...problemsOf('cursor' in query.properties ? ['429'] : ['410', '429']),
    },
  };
}

function downloadOperation({ path, operationId, summary, query, type }: Download): Json {
  const headers = { 'Content-Disposition': { description: 'The name of the file.', schema: { type: 'string' } } };
  const file = { description: 'The file.', headers, content: { [type]: { schema: { type: 'string' } } } };
  const problems = problemsOf(['406', '410']);
  return { operationId, summary, parameters: parametersOf(path, query), responses: { 200: file, ...problems } };
}

function parametersOf(path: string, query: TObject): readonly Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    parameter(name, 'path', pathParameters[name as keyof typeof pathParameters], true),
  );
  const inQuery = Object.entries(query.properties as Record<string, TSchema>).map(([name, schema]) =>
    parameter(name, 'query', schema, false),
  );
  return [...inPath, ...inQuery];
}

function problemsOf(without: readonly string[]): Json {
  const statuses = Object.keys(PROBLEMS).filter((status) => !without.includes(status));
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]));
}

function operational(path: string, summary: string, type: string, open: boolean): Json {
  const responses: Json = { 200: { description: 'It is.', content: { [type]: { schema: { type: 'string' } } } } };
  if (path === '/readyz') {
    responses['503'] = { description: 'It waits.', content: { [type]: { schema: { type: 'string' } } } };
  }
  return { operationId: path.slice(1), summary, ...(open ? { security: [] } : {}), responses };
}

function parameter(name: string, place: 'path' | 'query', schema: TSchema, required: boolean): Json {
  const { description, ...rest } = shown(schema) as Json;
  return { name, in: place, required, description, schema: rest };
}

/** A schema without what is only for our own checks; named ones by reference. */
function shown(schema: unknown, whole = false): unknown {
  const name = NAMED.get(schema);
  if (name !== undefined && !whole) return { $ref: `#/components/schemas/${name}` };
  if (Array.isArray(schema)) return schema.map((item) => shown(item));
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => key !== 'meaning' && !key.startsWith('x-kubernetes-') && !key.startsWith('~'))
      .map(([key, value]) => [key, shown(value)]),
  );
}
