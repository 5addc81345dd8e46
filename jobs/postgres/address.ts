import { sqlstate } from './failure.ts';

/**
 * Where a connection URL points, for people: without user, password and parameters. Undefined when it is not of the form
 * `postgres://user:password@host:port/database`.
 */
export function describeTarget(url: string): string | undefined {
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

/** Why a connection could not be made, in words that hold no secret. */
export function connectFailure(error: unknown): string {
  const state = sqlstate(error);
  if (state === '3D000') return 'there is no such database';
  if (state?.startsWith('28') === true) return 'the user or the password is refused';
  if (state === '53300') return 'it has no connection left';
  if (state === '57P03') return 'it is starting up or shutting down';
  const { code, syscall, message = 'unknown reason' } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  // A certificate that the URL names.
  if (syscall === 'open') return message;
  if (/client password must be a/.test(message)) return 'it asks for a password, and the URL has none';
  if (CERTIFICATE.test(code ?? '')) return `its certificate is not accepted: ${message}`;
  if (/does not support SSL/.test(message)) return 'it speaks no TLS, which the URL asks for';
  if (message === 'timeout expired') return 'it does not answer';
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is not known';
    default:
      return message;
  }
}
