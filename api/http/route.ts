import type { Static, TObject, TSchema } from 'typebox';
import type { Database } from '../../database/client/database.ts';
import { type QueryReader, queryReader, requirePath } from './parameters.ts';
import { RequestError } from './problem.ts';

/** What answers are made from. */
export interface Source {
  readonly database: Database;
  readonly now: () => Date;
}

export type PathValues = Readonly<Record<string, string>>;

/** One resource of the API: what it is, for the documentation, and how it is answered. */
export interface Route {
  /** As OpenAPI writes it, such as `/v1/namespaces/{namespace}/programs`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly query: TObject;
  readonly response: TSchema;
  /** Schema that the response is known by in the documentation. */
  readonly responseName: string;
  /** @param query what follows the `?` */
  readonly answer: (source: Source, path: PathValues, query: string) => Promise<unknown>;
}

interface Definition<Query extends TObject, Response extends TSchema>
  extends Omit<Route, 'query' | 'response' | 'answer'> {
  readonly query: Query;
  readonly response: Response;
  readonly answer: (source: Source, path: PathValues, query: Static<Query>) => Promise<Static<Response>>;
}

/** A route whose parameters are checked before it is answered. */
export function route<Query extends TObject, Response extends TSchema>(definition: Definition<Query, Response>): Route {
  let read: QueryReader<Query> | undefined;
  return {
    ...definition,
    answer(source, path, query) {
      requirePath(path);
      read ??= queryReader(definition.query);
      return definition.answer(source, path, read(query));
    },
  };
}

/** What the path names but Postgres does not have. */
export function notFound(message: string): RequestError {
  return new RequestError(404, 'HF_NOT_FOUND', message);
}
