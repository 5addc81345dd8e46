import type { IncomingMessage } from 'node:http';
import {
  apiVersionOf,
  type KubeApi,
  KubeError,
  type KubeObject,
  keyOf,
  type ObjectKey,
  type Resource,
  type Status,
  splitKey,
  type WatchEvent,
} from './api.ts';
import type { Clock } from './clock.ts';
import { type Connection, connect, type Outgoing } from './connection.ts';
import type { ConnectionSource } from './kubeconfig.ts';
import { lines } from './lines.ts';
import { refusal, refusalInStream } from './status.ts';

/** Our name in `managedFields`. */
const FIELD_MANAGER = 'holdfast';

/** The API server gives a request up after 60 s; we do before, so that a half-open connection costs no more. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Longest answer that is read. No object is larger than 3 MiB or so, and pages adapt; nobody is to take all our memory. */
const LONGEST_ANSWER = 16 * 1024 ** 2;

export interface ClientOptions extends ConnectionSource {
  readonly clock: Clock;
  /** Name and version, for the API server's audit log. */
  readonly userAgent: string;
  readonly requestTimeoutMs?: number;
  /** In bytes. */
  readonly longestAnswer?: number;
}

/** meta.k8s.io: an object without all but its metadata. */
const METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

function typed(resource: Resource, object: object): object {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly contentType?: string;
  readonly accept?: string;
  readonly body?: object;
}

/** A DNS subdomain, as every name here is. */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

type Json = Readonly<Record<string, unknown>>;

function pathOf(resource: Resource, namespace: string | undefined, ...rest: readonly string[]): string {
  const root = resource.group === '' ? '/api' : `/apis/${resource.group}`;
  const parts = namespace === undefined ? [] : ['namespaces', namespace];
  return [root, resource.version, ...[...parts, resource.plural, ...rest].map(encodeURIComponent)].join('/');
}

function objectPath(resource: Resource, key: ObjectKey, ...rest: readonly string[]): string {
  const { namespace, name } = splitKey(key);
  // Anything else could be read as another path, such as that of a list or of a subresource.
  if ((resource.namespaced ? !OBJECT_NAME.test(namespace) : namespace !== '') || !OBJECT_NAME.test(name)) {
    throw new TypeError(`"${key}" is not namespace/name of a ${resource.kind}.`);
  }
  return pathOf(resource, resource.namespaced ? namespace : undefined, name, ...rest);
}

function target(call: Call): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(call.query ?? {})) {
    if (value !== undefined) {
      query.set(name, String(value));
    }
  }
  return query.size === 0 ? call.path : `${call.path}?${query.toString()}`;
}

/** KubeApi over HTTP. Reads the credentials at once, and throws when they are unusable. */
export function createClient(options: ClientOptions): KubeApi & { close(): void } {
  const connection = connect(options);
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const longest = options.longestAnswer ?? LONGEST_ANSWER;

  /** Opens the exchange and hands its answer to `use`; the time limit holds until `use` is done. */
  async function exchange<T>(
    call: Call,
    signal: AbortSignal | undefined,
    use: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const what = `${call.method} ${call.path}`;
    const late = new AbortController();
    const begin = () => options.clock.setTimeout(() => late.abort(), timeoutMs);
    let stop = begin();
    const whileLoggingIn = async <L>(login: Promise<L>): Promise<L> => {
      stop();
      try {
        return await login;
      } finally {
        stop = begin();
      }
    };
    const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    try {
      return await use(await open(connection, call, options.userAgent, { signal: either, whileLoggingIn }));
    } catch (cause) {
      if (signal?.aborted) {
        throw new KubeError(0, 'Aborted', `${what} was given up.`, { cause });
      }
      if (late.signal.aborted) {
        throw new KubeError(0, 'Unreachable', `${what}: no answer within ${timeoutMs / 1000} s`, { cause });
      }
      if (cause instanceof KubeError) {
        throw cause;
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KubeError(0, 'Unreachable', `${what}: the answer broke off (${why})`, { cause });
    } finally {
      stop();
    }
  }

  async function json<T>(call: Call, signal: AbortSignal | undefined): Promise<T> {
    return (await measured(call, signal)).answer as T;
  }

  function measured(call: Call, signal: AbortSignal | undefined): Promise<{ answer: unknown; bytes: number }> {
    return exchange(call, signal, async (response) => {
      const content = await body(call, response, longest);
      return { answer: JSON.parse(content.toString()) as unknown, bytes: content.length };
    });
  }

  return {
    async list(resource, options, signal) {
      const { namespace, labelSelector, fieldSelector, metadataOnly, limit, continue: from, resourceVersion } = options;
      const query = {
        labelSelector,
        fieldSelector,
        limit,
        continue: from,
        // A continue token says which version it reads; the server refuses both.
        ...(resourceVersion !== undefined && from === undefined
          ? { resourceVersion, resourceVersionMatch: 'NotOlderThan' }
          : {}),
      };
      const { answer, bytes } = await measured(
        { method: 'GET', path: pathOf(resource, namespace), query, ...(metadataOnly ? { accept: METADATA_LIST } : {}) },
        signal,
      );
      const { items, metadata } = answer as {
        items: Json[] | null;
        metadata: { resourceVersion: string; continue?: string };
      };
      return {
        // Items of built-in kinds come without their type, and those that are metadata alone with another.
        items: (items ?? []).map((item) => typed(resource, item) as never),
        resourceVersion: metadata.resourceVersion,
        bytes,
        ...(metadata.continue ? { continue: metadata.continue } : {}),
      };
    },

    async *watch<T extends KubeObject>(
      resource: Resource,
      {
        namespace,
        labelSelector,
        fieldSelector,
        metadataOnly,
        resourceVersion,
        timeoutSeconds,
      }: Parameters<KubeApi['watch']>[1],
      signal: AbortSignal,
    ): AsyncGenerator<WatchEvent<T>> {
      const call: Call = {
        method: 'GET',
        path: pathOf(resource, namespace),
        query: {
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion,
          timeoutSeconds,
          labelSelector,
          fieldSelector,
        },
        ...(metadataOnly ? { accept: METADATA } : {}),
      };
      const response = await exchange(call, signal, async (answer) => {
        if (answer.statusCode !== 200) {
          throw refusal(`GET ${call.path}`, answer, String(await bytesOf(call, answer, longest)));
        }
        return answer;
      });
      yield* events<T>(resource, call, response, signal);
    },

    async get<T extends KubeObject>(resource: Resource, key: ObjectKey, signal?: AbortSignal) {
      try {
        return await json<T>({ method: 'GET', path: objectPath(resource, key) }, signal);
      } catch (error) {
        if (error instanceof KubeError && error.status === 404) {
          return undefined;
        }
        throw error;
      }
    },

    create: (resource, object, signal) =>
      json({ method: 'POST', path: pathOf(resource, object.metadata.namespace), body: object }, signal),

    async applyStatus(resource, { metadata, status }, signal) {
      const { name, namespace, resourceVersion } = metadata;
      if (resourceVersion === undefined) {
        // Without it the status of one object could land on another that was made under its name since.
        throw new TypeError(`The status of ${resource.kind} ${name} has no resourceVersion.`);
      }
      return await json(
        {
          method: 'PATCH',
          path: objectPath(resource, keyOf({ metadata }), 'status'),
          query: { fieldManager: FIELD_MANAGER, force: true },
          contentType: 'application/apply-patch+yaml',
          body: {
            apiVersion: apiVersionOf(resource),
            kind: resource.kind,
            metadata: { name, namespace, resourceVersion },
            status,
          },
        },
        signal,
      );
    },

    async patch(resource, key, mergePatch, { resourceVersion } = {}, signal) {
      const { metadata } = mergePatch as { metadata?: object };
      const body =
        resourceVersion === undefined ? mergePatch : { ...mergePatch, metadata: { ...metadata, resourceVersion } };
      return await json(
        { method: 'PATCH', path: objectPath(resource, key), contentType: 'application/merge-patch+json', body },
        signal,
      );
    },

    replace: async (resource, object, signal) =>
      await json({ method: 'PUT', path: objectPath(resource, keyOf(object)), body: object }, signal),

    async delete(resource, key, { uid, resourceVersion, propagationPolicy }, signal) {
      try {
        const preconditions = { uid, resourceVersion };
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions, propagationPolicy };
        await json({ method: 'DELETE', path: objectPath(resource, key), body }, signal);
      } catch (error) {
        if (!(error instanceof KubeError && error.status === 404)) {
          throw error;
        }
      }
    },

    close: () => connection.close(),
  };
}

async function open(
  connection: Connection,
  call: Call,
  userAgent: string,
  waiting: Pick<Outgoing, 'signal' | 'whileLoggingIn'>,
): Promise<IncomingMessage> {
  const content = call.body === undefined ? undefined : JSON.stringify(call.body);
  return await connection.send({
    method: call.method,
    path: target(call),
    headers: {
      Accept: call.accept ?? 'application/json',
      'User-Agent': userAgent,
      ...(content === undefined
        ? {}
        : {
            'Content-Type': call.contentType ?? 'application/json',
            'Content-Length': String(Buffer.byteLength(content)),
          }),
    },
    body: content,
    ...waiting,
  });
}

async function body(call: Call, response: IncomingMessage, longest: number): Promise<Buffer> {
  const content = await bytesOf(call, response, longest);
  if (response.statusCode === undefined || response.statusCode < 200 || response.statusCode > 299) {
    throw refusal(`${call.method} ${call.path}`, response, content.toString());
  }
  return content;
}

/** @throws KubeError with reason TooLarge; the rest of the answer is not read */
async function bytesOf(call: Call, response: IncomingMessage, longest: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > longest) {
      throw new KubeError(0, 'TooLarge', `${call.method} ${call.path}: the answer is longer than ${longest} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function* events<T extends KubeObject>(
  resource: Resource,
  call: Call,
  response: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const what = `GET ${call.path}`;
  try {
    for await (const line of lines(response)) {
      const event = JSON.parse(line) as { type: string; object: T & Status };
      switch (event.type) {
        case 'ADDED':
        case 'MODIFIED':
        case 'DELETED':
          yield { type: event.type, object: typed(resource, event.object) as T };
          break;
        case 'BOOKMARK':
          yield { type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion ?? '' };
          break;
        default:
          throw refusalInStream(what, event.object);
      }
    }
  } catch (cause) {
    if (cause instanceof KubeError) {
      throw cause;
    }
    if (signal.aborted) {
      throw new KubeError(0, 'Aborted', `${what} was given up.`, { cause });
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KubeError(0, 'Unreachable', `${what}: the watch broke off (${why})`, { cause });
  }
}
