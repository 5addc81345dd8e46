import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { type Scope, SESSION_HOURS, Sessions } from './sessions.ts';

/** A token and what it opens. */
export interface Grant {
  readonly token: string;
  readonly scope: Scope;
}

/** Who may ask, and under which names. */
export interface Access {
  readonly grants: readonly { readonly digest: Buffer; readonly scope: Scope }[];
  /** Host names that the server goes by besides `localhost` and addresses. */
  readonly hosts: readonly string[];
  /** Cookie that a browser keeps its session in. */
  readonly cookie: string;
  readonly sessions: Sessions;
}

export interface AccessOptions extends Pick<Access, 'hosts' | 'cookie'> {
  readonly grants: readonly Grant[];
  readonly now: () => Date;
  /** A text that nobody guesses, another one each time. */
  readonly secret: () => string;
}

export function accessTo({ grants, hosts, cookie, now, secret }: AccessOptions): Access {
  return {
    hosts,
    cookie,
    grants: grants.map(({ token, scope }) => ({ digest: digestOf(token), scope })),
    sessions: new Sessions(now, secret),
  };
}

/**
 * Whether the name in the address is one of ours. A page elsewhere can have its own name point to this machine (DNS
 * rebinding) and then read what it is answered; it cannot do so with an address or `localhost`.
 */
export function isOurHost(header: string | undefined, { hosts }: Pick<Access, 'hosts'>): boolean {
  if (header === undefined) return false;
  const name = hostName(header);
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name);
}

function hostName(header: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain ?? '').toLowerCase();
}

/** What a request may read by the token that it carries as a bearer. */
export function scopeOfBearer({ headers }: IncomingMessage, access: Access): Scope | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  return bearer === undefined ? undefined : scopeOfToken(bearer, access);
}

/** Compares with every token, in a time that tells nothing about where two differ, nor how long the right one is. */
export function scopeOfToken(presented: string, { grants }: Access): Scope | undefined {
  const digest = digestOf(presented);
  let found: Scope | undefined;
  for (const grant of grants) if (timingSafeEqual(digest, grant.digest)) found ??= grant.scope;
  return found;
}

/** What a browser may look at by the session in its cookie. */
export function scopeOfSession({ headers }: IncomingMessage, access: Access): Scope | undefined {
  const id = sessionId(headers.cookie, access.cookie);
  return id === undefined ? undefined : access.sessions.scopeOf(id);
}

/** What a browser is told to keep: out of reach of scripts, and sent to this host alone. */
export function sessionCookie(scope: Scope, { cookie, sessions }: Access): string {
  return `${cookie}=${sessions.begin(scope)}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${SESSION_HOURS * 3600}`;
}

/** Whether a form was sent by a page of ours, as every browser says of a POST. */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] === undefined;
  return URL.parse(origin)?.host === host?.toLowerCase();
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function sessionId(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value !== undefined) return value;
  }
  return undefined;
}
