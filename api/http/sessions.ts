import { hash } from 'node:crypto';

/** Namespaces that somebody may read. */
export type Scope = ReadonlySet<string> | 'every';

export function mayRead(scope: Scope, namespace: string): boolean {
  return scope === 'every' || scope.has(namespace);
}

/** The namespaces by name; undefined for every one. */
export function namesOf(scope: Scope): readonly string[] | undefined {
  return scope === 'every' ? undefined : [...scope];
}

/** A day's work; whoever comes back tomorrow shows the token again. */
export const SESSION_HOURS = 12;
/** Of one scope. Beyond it the oldest of that scope goes: whoever has one token logs out nobody who came with another. */
const MOST_SESSIONS = 100;

/**
 * Browsers that were let in. A session opens the page and nothing else: its cookie goes to every port of the host, so
 * it must not be worth a token. They live in this process and end with it.
 */
export class Sessions {
  readonly #now: () => Date;
  readonly #secret: () => string;
  /** By SHA-256, so that a dump of the memory holds none that could be used; oldest first. */
  readonly #open = new Map<string, { readonly scope: Scope; readonly until: number }>();
  readonly #keys = new Map<string, Scope>();

  /** @param secret a text that nobody guesses, another one each time */
  constructor(now: () => Date, secret: () => string) {
    this.#now = now;
    this.#secret = secret;
  }

  /** A key that lets one browser in, once: for an address that a person opens. */
  oneTimeKey(scope: Scope): string {
    const key = this.#secret();
    this.#keys.set(digestOf(key), scope);
    return key;
  }

  /** What a key opens; it opens nothing ever after. */
  redeem(key: string): Scope | undefined {
    const digest = digestOf(key);
    const scope = this.#keys.get(digest);
    this.#keys.delete(digest);
    return scope;
  }

  /** Begins a session, and gives what its browser shows from then on. */
  begin(scope: Scope): string {
    const id = this.#secret();
    this.#open.set(digestOf(id), { scope, until: this.#now().getTime() + SESSION_HOURS * 3_600_000 });
    const same = [...this.#open].filter(([, session]) => session.scope === scope);
    for (const [oldest] of same.slice(0, -MOST_SESSIONS)) this.#open.delete(oldest);
    return id;
  }

  scopeOf(id: string): Scope | undefined {
    const digest = digestOf(id);
    const session = this.#open.get(digest);
    if (session === undefined) return undefined;
    if (session.until > this.#now().getTime()) return session.scope;
    this.#open.delete(digest);
    return undefined;
  }
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
