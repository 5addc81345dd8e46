import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Who may ask, and under which names. */
export interface Access extends AccessOptions {
  /** SHA-256 of the token. */
  readonly digest: Buffer;
}

export interface AccessOptions {
  /** Who has it may read everything. */
  readonly token: string;
  /** Host names that the server goes by besides `localhost` and addresses. */
  readonly hosts: readonly string[];
  /** Cookie that a browser keeps the token in. */
  readonly cookie: string;
}

export function accessTo(options: AccessOptions): Access {
  return { ...options, digest: digestOf(options.token) };
}

/**
 * Whether the name in the address is one of ours. A page elsewhere can have its own name point to this machine (DNS
 * rebinding) and then read what it is answered; it cannot do so with an address or `localhost`.
 */
export function isOurHost(header: string | undefined, { hosts }: Access): boolean {
  if (header === undefined) return false;
  const name = hostName(header);
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name);
}

function hostName(header: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(header) ?? [];
  return (bracketed ?? plain ?? '').toLowerCase();
}

/** Whether a request carries the token, as a bearer or in the cookie. */
export function isAuthorized({ headers }: IncomingMessage, access: Access): boolean {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const presented = bearer ?? cookieOf(headers.cookie, access.cookie);
  return presented !== undefined && isToken(presented, access);
}

/** Compares in a time that tells nothing about where the two differ, nor how long the right one is. */
export function isToken(presented: string, { digest }: Access): boolean {
  return timingSafeEqual(digestOf(presented), digest);
}

function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** What a browser is told to keep: out of reach of scripts, and sent to this host alone. */
export function tokenCookie({ token, cookie }: Access): string {
  return `${cookie}=${encodeURIComponent(token)}; HttpOnly; SameSite=Strict; Path=/`;
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key !== name || value === undefined) continue;
    try {
      return decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
