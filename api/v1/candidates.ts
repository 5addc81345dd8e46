import type { StoredCandidate } from '../../customers/columns/stored-columns.ts';
import {
  type Audience,
  candidatesByOfferKind,
  candidatesByRiskLevel,
  currentCandidate,
} from '../../database/candidates/candidates.ts';
import { hasProgram, type OwnerKey } from '../../database/runs/runs.ts';
import { decodeCursor, encodeCursor } from '../http/cursor.ts';
import { invalid } from '../http/problem.ts';
import { notFound, type PathValues, route, type Source } from '../http/route.ts';
import { candidate, toCandidate } from './candidate.ts';
import { type CandidateQuery, candidateQuery, customerQuery, pageOf } from './schemas.ts';

export const candidatesRoute = route({
  path: '/v1/namespaces/{namespace}/programs/{program}/candidates',
  operationId: 'listCandidates',
  summary:
    'Whom to contact of the current batch, highest risk first: neither held out nor without an offer where the program makes any; with `offerKind` and `since`, of all batches by date.',
  query: candidateQuery,
  response: pageOf(candidate, 'A page of candidates.'),
  responseName: 'CandidatePage',
  async answer(source, path, query) {
    const program = programOf(path);
    const { since, before } = instants(query);
    const { limit } = query;
    // One more than wanted tells whether there is a next page.
    const found =
      since === undefined
        ? await byRisk(source, program, query, limit + 1)
        : await byDate(source, program, query, { since, before }, limit + 1);
    if (found.length === 0 && query.cursor === undefined) await requireProgram(source, program);
    const rows = found.length > limit ? found.slice(0, limit) : found;
    const last = found.length > limit ? rows.at(-1) : undefined;
    return {
      items: rows.map((row) => toCandidate(row, query.arm !== undefined)),
      nextCursor: last === undefined ? null : cursorAfter(last, program, query),
    };
  },
});

export const candidateRoute = route({
  path: '/v1/namespaces/{namespace}/programs/{program}/candidates/{customer}',
  operationId: 'getCandidate',
  summary: 'One customer in the current batch, unless held out or without an offer where the program makes any.',
  query: customerQuery,
  response: candidate,
  responseName: 'Candidate',
  async answer({ database, now }, path, query) {
    const program = programOf(path);
    const customer = path['customer'] ?? '';
    const found = await currentCandidate(database, { ...program, customer, audience: audienceOf(query), now: now() });
    if (found !== undefined) return toCandidate(found, query.arm !== undefined);
    await requireProgram({ database, now }, program);
    throw notFound('the current batch of the program has no such customer');
  },
});

/** Whom to contact, unless somebody asks for an arm. */
function audienceOf({ arm }: Pick<CandidateQuery, 'arm'>): Audience {
  return arm ?? 'contact';
}

function programOf({ namespace = '', program = '' }: PathValues): OwnerKey {
  return { namespace, owner: program };
}

/** @throws HF_NOT_FOUND when no program of that name has run there */
export async function requireProgram({ database }: Source, program: OwnerKey): Promise<void> {
  if (!(await hasProgram(database, program))) throw notFound('no program of that name has run in that namespace');
}

function instants({ since, before, offerKind }: CandidateQuery): { readonly since?: Date; readonly before: Date } {
  const end = before === undefined ? FAR_FUTURE : new Date(before);
  if (since === undefined) {
    if (before !== undefined) throw invalid([{ parameter: 'before', reason: 'needs since' }]);
    return { before: end };
  }
  if (offerKind === undefined) throw invalid([{ parameter: 'since', reason: 'needs offerKind' }]);
  if (end <= new Date(since)) throw invalid([{ parameter: 'before', reason: 'must be after since' }]);
  return { since: new Date(since), before: end };
}

const FAR_FUTURE = new Date('9999-12-31T00:00:00Z');

/** What of a query both orders of the list have. */
function askedFor({ now }: Source, program: OwnerKey, query: CandidateQuery, limit: number) {
  const { riskLevel, minScore, offerTier } = query;
  return { ...program, riskLevel, minScore, offerTier, audience: audienceOf(query), limit, now: now() };
}

function byRisk(source: Source, program: OwnerKey, query: CandidateQuery, limit: number) {
  const { offerKind, cursor } = query;
  let after: { run: string; riskScore: number; customerId: string } | undefined;
  if (cursor !== undefined) {
    const place = decodeCursor(cursor, identityOf(program, query), ['string', 'number', 'string']);
    const [run, riskScore, customerId] = place as [string, number, string];
    after = { run, riskScore, customerId };
  }
  return candidatesByRiskLevel(source.database, { ...askedFor(source, program, query, limit), offerKind, after });
}

function byDate(
  source: Source,
  program: OwnerKey,
  query: CandidateQuery,
  slots: { readonly since: Date; readonly before: Date },
  limit: number,
) {
  const { offerKind = '', cursor } = query;
  let after: { run: string; slot: Date; customerId: string } | undefined;
  if (cursor !== undefined) {
    const place = decodeCursor(cursor, identityOf(program, query), ['string', 'instant', 'string']);
    const [run, slot, customerId] = place as [string, string, string];
    after = { run, slot: new Date(slot), customerId };
  }
  return candidatesByOfferKind(source.database, {
    ...askedFor(source, program, query, limit),
    ...slots,
    offerKind,
    after,
  });
}

function cursorAfter(last: StoredCandidate, program: OwnerKey, query: CandidateQuery): string {
  const order = query.since === undefined ? last.risk_score : last.slot.toISOString();
  return encodeCursor(identityOf(program, query), [last.run, order, last.customer_id]);
}

/** What pages of one list have in common. */
function identityOf({ namespace, owner }: OwnerKey, query: CandidateQuery): readonly unknown[] {
  const { riskLevel, minScore, offerKind, offerTier, since, before, arm } = query;
  return ['candidates', namespace, owner, riskLevel, minScore, offerKind, offerTier, since, before, arm];
}
