import { sqlstate } from './failure.ts';
import { quoted } from './missing-right.ts';
import { noConnectionLeft } from './no-connection-left.ts';

/** A connection URL, read. */
export interface Address {
  /** For the driver. */
  readonly url: string;
  /** Where it points, for people: without user, password and parameters. */
  readonly target: string;
}

/** What each `sslmode` means here: without TLS, with TLS unchecked, or with the certificate and its name checked. */
const MODES: Readonly<Record<string, 'disable' | 'no-verify' | 'verify-full'>> = {
  disable: 'disable',
  'no-verify': 'no-verify',
  // libpq checks less with these, or takes a connection without TLS; nobody who names one is given less than all.
  allow: 'verify-full',
  prefer: 'verify-full',
  require: 'verify-full',
  'verify-ca': 'verify-full',
  'verify-full': 'verify-full',
};

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`, with or without blanks around it.
 * @returns a fault, to follow the name of what holds the URL, in words that hold no secret
 */
export function readAddress(text: string): Address | { readonly fault: string } {
  const url = text.trim();
  const target = describeTarget(url);
  if (target === undefined) {
    return {
      fault:
        'is not of the form postgres://user:password@host:port/database (special characters of the password are written %40 for @, and so on)',
    };
  }
  const { searchParams, hash } = new URL(url);
  const names = [...searchParams.keys()].filter((name) => name !== 'sslmode');
  // The driver does not know it, and would send the password without TLS.
  if (
    [...names, hash].some((text) =>
      text
        .replaceAll(/[^a-z]/gi, '')
        .toLowerCase()
        .startsWith('sslmode'),
    )
  ) {
    return { fault: 'spells sslmode otherwise: write ?sslmode=verify-full' };
  }
  const [given, ...more] = searchParams.getAll('sslmode');
  // Newer versions of libpq mean the system's authorities by it; the driver would look for a file of that name.
  if (searchParams.get('sslrootcert') === 'system') {
    return { fault: 'has sslrootcert=system: leave it out, verify-full asks the authorities that Node knows' };
  }
  // Who asks for what libpq does gets it: the driver knows this parameter.
  if (given === undefined || searchParams.get('uselibpqcompat') === 'true') {
    const lacksAuthority = given === 'verify-ca' && !searchParams.has('sslrootcert');
    return lacksAuthority ? { fault: 'has verify-ca without its authority: add sslrootcert=FILE' } : { url, target };
  }
  // An authority of one's own may be asked for alone: its certificates may be for names that nobody connects by.
  if (given === 'verify-ca' && more.length === 0 && searchParams.has('sslrootcert')) {
    return { url: `${url}&uselibpqcompat=true`, target };
  }
  const mode = more.length === 0 && Object.hasOwn(MODES, given) ? MODES[given] : undefined;
  const written = `sslmode=${given}`;
  const query = url.indexOf('?');
  const start = url.indexOf(written, query);
  if (mode === undefined || query === -1 || start === -1) {
    const named =
      /^[\w-]{1,20}$/.test(given) && more.length === 0 ? `the unknown sslmode ${given}` : 'an unknown sslmode';
    return { fault: `has ${named}: give verify-full, no-verify (encrypts without knowing to whom) or disable` };
  }
  return { url: `${url.slice(0, start)}sslmode=${mode}${url.slice(start + written.length)}`, target };
}

function describeTarget(url: string): string | undefined {
  try {
    const { protocol, hostname, port, pathname, search, hash, searchParams } = new URL(url);
    if (protocol !== 'postgres:' && protocol !== 'postgresql:') return undefined;
    // Behind a password with a slash in it, or a question mark, what looks like a path is the rest of the password.
    if (`${pathname}${search}${hash}`.includes('@')) return undefined;
    return `${searchParams.get('host') ?? hostname}${port === '' ? '' : `:${port}`}${pathname}`;
  } catch {
    return undefined;
  }
}

/** Codes with which Node refuses a certificate: those of OpenSSL's X509_V_ERR_, and its own about names. */
const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** The parameter of a connection's start that a pooler refuses; undefined where it refuses none. */
export function refusedSetting(error: unknown): string | undefined {
  return /unsupported startup parameter(?: in options)?: "?(\w+)/.exec((error as Partial<Error>)?.message ?? '')?.[1];
}

/** Why a connection could not be made. */
export interface ConnectFailure {
  /** In words that hold no secret. */
  readonly reason: string;
  /** Whether the address, the server or its rights have to be changed first: it does not heal by itself. */
  readonly isPermanent: boolean;
}

/** @param url that was connected to: of it the reason has the role and the database, and nothing else */
export function connectFailure(error: unknown, url: string): ConnectFailure {
  const permanent = (reason: string): ConnectFailure => ({ reason, isPermanent: true });
  const passing = (reason: string): ConnectFailure => ({ reason, isPermanent: false });
  const state = sqlstate(error);
  const { role, database } = namedIn(url);
  if (state === '3D000') {
    return permanent(`there is no such database: mend its name in the URL, or CREATE DATABASE ${database}`);
  }
  // Tried again it would be refused again, and a server may lock who is refused too often.
  if (state?.startsWith('28') === true) {
    const remedy = loginRemedy((error as Error).message, role, database);
    return permanent(`the user or the password is refused: ${remedy}`);
  }
  if (state === '42501') {
    return permanent(
      `the role ${role} may not connect to that database: GRANT CONNECT ON DATABASE ${database} TO ${role}`,
    );
  }
  const full = noConnectionLeft(error);
  if (full !== undefined) return passing(full);
  if (state === '57P03') return passing('it is starting up or shutting down');
  const { code, syscall, message = 'unknown reason' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  // A certificate that the URL names.
  if (syscall === 'open') return permanent(message);
  if (/client password must be a/.test(message)) return permanent('it asks for a password, and the URL has none');
  if (CERTIFICATE.test(code ?? ''))
    return permanent(`its certificate is not accepted: ${certificateFault(code ?? '', message, namesAuthority(url))}`);
  if (/does not support SSL/.test(message))
    return permanent('it speaks no TLS, which the URL asks for; sslmode=disable goes without');
  const refused = refusedSetting(error);
  if (refused !== undefined) {
    return permanent(
      `a pooler refuses ${refused}, which the URL sets: leave it out, or in PgBouncer set ignore_startup_parameters = ${refused}`,
    );
  }
  if (message === 'timeout expired') return passing('it does not answer');
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return passing('nothing listens there');
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return passing('the host is not known');
    default:
      return passing(message);
  }
}

/** Role and database as SQL writes them; ROLE where the URL has none, or one that may be a password gone astray. */
function namedIn(url: string): { readonly role: string; readonly database: string } {
  const { username, pathname } = new URL(url);
  const read = (part: string, otherwise: string) => {
    try {
      const name = decodeURIComponent(part);
      return /^[\w.@-]{1,63}$/.test(name) ? quoted(name) : otherwise;
    } catch {
      return otherwise;
    }
  };
  return { role: read(username, 'ROLE'), database: read(pathname.slice(1), 'DATABASE') };
}

/** @param said by the server, which tells these apart only where it does not help who guesses */
function loginRemedy(said: string, role: string, database: string): string {
  if (/role ".*" does not exist/.test(said)) return `there is no role ${role}: CREATE ROLE ${role} LOGIN PASSWORD '…'`;
  if (/not permitted to log in/.test(said)) return `the role ${role} may not log in: ALTER ROLE ${role} LOGIN`;
  if (/pg_hba\.conf/.test(said)) {
    const tls = /no encryption/.test(said) ? ', or sslmode=verify-full in the URL where it lets in who encrypts' : '';
    return `no line of the server's pg_hba.conf lets ${role} into ${database} from here: add one${tls}`;
  }
  return `mend it in the URL, or make it so: CREATE ROLE or ALTER ROLE ${role} LOGIN PASSWORD '…'`;
}

function namesAuthority(url: string): boolean {
  return new URL(url).searchParams.has('sslrootcert');
}

/**
 * What is wrong with a certificate, and what to do; Node's own advice is for who starts Node.
 * @param isNamed whether the URL names an authority
 */
function certificateFault(code: string, message: string, isNamed: boolean): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'it is for another name; connect by one that is in it, or have its authority checked alone: sslmode=verify-ca and sslrootcert=FILE';
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') return message.split(';')[0] ?? message;
  const reason = code.includes('SELF_SIGNED') ? 'self-signed' : message.split(';')[0];
  if (isNamed) {
    return `${reason}; no authority in sslrootcert signed it: name the file of the one that did, or encrypt without knowing to whom with sslmode=no-verify`;
  }
  return `${reason}; every sslmode but disable and no-verify checks it: name its authority in sslrootcert=FILE or NODE_EXTRA_CA_CERTS (caBundle of the chart), or encrypt without knowing to whom with sslmode=no-verify`;
}
