import { rfc3339 } from '../../base/instant.ts';
import { printable } from '../../base/text/printable.ts';
import type { RetentionProgramSpec } from '../../crds/retention-program.ts';
import type { Explanation, FilterExplanation } from '../../customers/explanations/explain.ts';
import type { NoReasons } from '../../customers/explanations/reasons.ts';
import { scoreText } from './figures.ts';
import { marginText, type ReasonsShown, reasonText } from './reason-text.ts';

/** The strongest reasons of a customer's score, or why there are none. */
export type CustomerReasons = ReasonsShown | NoReasons;

const LABEL = 10;

/** Why a customer is, or is not, a candidate, as text. */
export function customerText(
  explanation: Explanation,
  { program, run, slot, customer }: { program: string; run: string; slot: Date; customer: string },
  spec: RetentionProgramSpec,
  why: CustomerReasons | undefined,
): string {
  const lines = [`${customer}  ${program}  as of ${rfc3339(slot)}  ${run}`, ''];
  const line = (label: string, text: string) => lines.push(`${label.padEnd(LABEL)} ${text}`.trimEnd());
  line('outcome', outcomeText(explanation));
  if (explanation.outcome !== 'not-extracted' && explanation.outcome !== 'rejected') {
    line('signals', explanation.signals.length === 0 ? 'none' : explanation.signals.join(', '));
    line(
      '',
      Object.entries(explanation.figures)
        .map(([column, value]) => `${column} ${figure(value)}`)
        .join('   '),
    );
  }
  explanation.filters.forEach((filter, position) => line(position === 0 ? 'filters' : '', filterText(filter)));
  if (explanation.score !== undefined) {
    const { risk, level } = explanation.score;
    line(
      'score',
      `${scoreText(risk, Object.values(spec.riskLevels))} ${level ?? `below ${spec.riskLevels.medium}, the lowest level`}`,
    );
  }
  if (why !== undefined) {
    const told =
      'unavailable' in why ? [`none: ${why.unavailable}`] : [...why.reasons.map(reasonText), marginText(why)];
    told.forEach((each, position) => line(position === 0 ? 'reasons' : '', each));
  }
  if (explanation.offer !== undefined) line('offer', offerText(explanation.offer));
  return `${lines.map(printable).join('\n')}\n`;
}

function outcomeText({ outcome, reasons, filters }: Explanation): string {
  switch (outcome) {
    case 'not-extracted':
      return "not extracted: the program's query did not return this customer (or the id is misspelt)";
    case 'rejected':
      return `rejected as bad data: ${reasons.join(', ')}`;
    case 'removed':
      return `removed by the filter ${filters.find(({ verdict }) => verdict === 'removed')?.filterId ?? ''}`;
    case 'below-threshold':
      return 'scored, but below the lowest risk level';
    case 'held-out':
      return 'candidate, held out: gets nothing, so that the effect of the offers can be measured';
    case 'candidate':
      return 'candidate';
    case 'unfinished':
      return 'the run ended before this customer was decided on';
  }
}

const MARKS = { passed: '✓', removed: '✗', 'not-reached': '·' } as const;
const WORST_FIRST = ['failed', 'missing', 'passed'];

function filterText({ filterId, verdict, comparisons }: FilterExplanation): string {
  // What removed a customer comes first.
  const ordered = [...comparisons].sort((a, b) => WORST_FIRST.indexOf(a.outcome) - WORST_FIRST.indexOf(b.outcome));
  const shown = verdict === 'removed' ? ordered : comparisons;
  const text = verdict === 'not-reached' ? 'not reached' : shown.map((finding) => finding.text).join('; ');
  return `${MARKS[verdict]} ${filterId.padEnd(16)} ${text}`;
}

function offerText(offer: NonNullable<Explanation['offer']>): string {
  const parts = [
    offer.tier ?? 'no offer for this risk level',
    offer.kind === undefined ? undefined : `recommended ${offer.kind}`,
    offer.discount > 0 ? `${figure(offer.discount)} % off for ${offer.months} months` : undefined,
    offer.upgrade ? 'upgrade' : undefined,
    offer.personalCall ? 'personal call' : undefined,
    `${offer.arm} (epoch ${offer.epoch})`,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function figure(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : JSON.stringify(value);
}
