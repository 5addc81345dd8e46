import { ERROR_CODES, type ErrorCode, HoldfastError } from '../../base/errors.ts';
import type { Problem } from './schemas.ts';

/** A parameter that is at fault, and why. */
export interface ParameterFault {
  readonly parameter: string;
  readonly reason: string;
}

/** A refusal that HTTP has a status of its own for. */
export class RequestError extends HoldfastError {
  readonly status: number;
  readonly faults: readonly ParameterFault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    more: { readonly faults?: readonly ParameterFault[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, message);
    this.name = 'RequestError';
    this.status = status;
    this.faults = more.faults ?? [];
    this.headers = more.headers ?? {};
  }
}

/** More faults than a person mends at once. */
const MOST_FAULTS = 10;

/** A refusal of parameters: the first faults, and how many more there are. */
export function invalid(faults: readonly ParameterFault[]): RequestError {
  const told = faults.slice(0, MOST_FAULTS);
  const more = faults.length > told.length ? [`and ${faults.length - told.length} more faults`] : [];
  const message = [...told.map(({ parameter, reason }) => `${parameter} ${reason}`), ...more].join('; ');
  return new RequestError(400, 'HF_REQUEST_INVALID', message, { faults: told });
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  HF_NOT_FOUND: 404,
  HF_CURSOR_EXPIRED: 410,
  HF_DATABASE_UNREACHABLE: 503,
  HF_DATABASE_REFUSED: 503,
  HF_NOT_MIGRATED: 503,
};

/** What a failure is to whoever asked: a problem document of RFC 9457, and the headers that go with it. */
export function problemOf(
  error: unknown,
  requestId: string,
): { readonly problem: Problem; readonly headers: Readonly<Record<string, string>> } {
  const { failure, status } = classify(error);
  const { faults, headers } = failure instanceof RequestError ? failure : { faults: [], headers: {} };
  const problem: Problem = {
    // Relative to no page: a name that stays the same wherever the API is served.
    type: `urn:holdfast:error:${failure.code}`,
    title: ERROR_CODES[failure.code].meaning,
    status,
    detail: failure.message,
    code: failure.code,
    requestId,
    ...(faults.length === 0 ? {} : { errors: [...faults] }),
  };
  return { problem, headers: status === 503 ? { 'Retry-After': '2', ...headers } : headers };
}

function classify(error: unknown): { readonly failure: HoldfastError; readonly status: number } {
  if (error instanceof RequestError) return { failure: error, status: error.status };
  if (error instanceof HoldfastError) {
    if (wasCancelled(error)) {
      const message = 'Postgres took too long to answer this; ask for less, such as one riskLevel';
      return { failure: new HoldfastError('HF_DATABASE_FAILED', message, { cause: error }), status: 504 };
    }
    return { failure: error, status: STATUS[error.code] ?? 500 };
  }
  // What the reader of forms throws, of a body that is too large, cut off or no form.
  if (error instanceof Error && 'type' in error && 'statusCode' in error) {
    const status = error.statusCode === 413 ? 413 : 400;
    return { failure: new RequestError(status, 'HF_REQUEST_REFUSED', 'this is not the form of the page'), status };
  }
  // What Express throws when an escape in the path is none.
  if (error instanceof URIError) {
    return { failure: invalid([{ parameter: 'path', reason: 'has a % that begins no character' }]), status: 400 };
  }
  // The message could say anything: it is for the log only.
  return { failure: new HoldfastError('HF_INTERNAL', 'something failed here', { cause: error }), status: 500 };
}

/** SQLSTATE 57014: the statement ran into its time limit. */
function wasCancelled({ cause }: HoldfastError): boolean {
  return cause instanceof Error && (cause as NodeJS.ErrnoException).code === '57014';
}
