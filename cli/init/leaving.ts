import type { Dialect } from './dialect.ts';
import { asDay } from './expressions.ts';
import { AS_OF } from './mapping.ts';
import type { ColumnProfile } from './profile.ts';

/** Words for a customer who is no longer one. Those who are paused or in arrears still are. */
export const GONE: readonly string[] = [
  'cancelled',
  'canceled',
  'closed',
  'terminated',
  'churned',
  'churn',
  'churner',
  'left',
  'leaver',
  'exited',
  'attrited',
  'attrited customer',
  'gone',
  'lost',
  'ended',
  'expired',
  'lapsed',
  'deactivated',
  'deleted',
  'disconnected',
  'former',
  'former customer',
  'ex-customer',
  'gekündigt',
  'beendet',
  'ausgetreten',
  'abgewandert',
  'résilié',
  'résiliée',
  'clôturé',
  'parti',
];

const STAYED =
  /^(?:stay(?:ed|er)?|retained|existing(?: customer)?|active|current|joined|kept|open|no churn|not churned|loyal|aktiv|actif|bestand|bestandskunde|en cours)\.?$/i;

/**
 * Regular expression of such a word with a reason behind it, such as `cancelled - moved away`; of words that are said of
 * nothing else, for an opportunity is closed - won.
 */
export const GONE_BECAUSE =
  '^(cancelled|canceled|terminated|churned|attrited|exited|deactivated|disconnected|gekündigt)( [-–—] | ?[:(,/])';

/** Whether a word says of a customer that they have left. */
export function saysLeft(word: string): boolean {
  const lower = word.toLowerCase();
  return GONE.includes(lower.replace(/\.$/, '')) || new RegExp(GONE_BECAUSE).test(lower);
}

/** Whether a word says of a customer that they are still there. */
export function saysStayed(word: string): boolean {
  return STAYED.test(word);
}

/** Whose day or state a column's name says that it is, if it says so. */
export const WHOSE =
  '(?:(?:customer|client|user|account|acct|member|membership|subscription|sub|plan|contract|policy|service|relationship) )?';
const LEAVING =
  '(?:cancel(?:l?ed|l?ation)?|churn(?:ed)?|exit(?:ed)?|left|leav(?:e|ing)|terminat(?:ed|ion)|attrit(?:ed|ion)|clos(?:ed|ing|ure)|deactivat(?:ed|ion)|deleted|deletion|disconnect(?:ed|ion)?|departure|departed|lapsed?|ended|quit)';
const LEAVING_DAY = new RegExp(
  `^(?:date (?:of )?)?${WHOSE}${LEAVING}(?: (?:date|day|time|at|on|ts|timestamp|dt|datum))*$`,
);

/** A day at or before this stands for none at all, as one from this one on does. */
const NO_DAY = { before: "DATE '1970-01-01'", after: "DATE '2200-01-01'" };

/** Whether a column holds the day on which a customer left, or will leave. */
export function isLeavingDay({ kind, words }: ColumnProfile): boolean {
  return kind === 'date' && isLeavingDayName(words);
}

/** Whether a column of this name does, if it holds days. */
export function isLeavingDayName(words: string): boolean {
  return LEAVING_DAY.test(words);
}

/** Whether a column of this name can hold nothing but that day: `cancelled_at`, and not `cancelled`. */
export function isLeavingDateName(words: string): boolean {
  return isLeavingDayName(words) && /(?:^date | (?:date|day|time|at|on|ts|timestamp|dt|datum)$)/.test(words);
}

/** SQL, which reads `AS_OF`, of who has left by the day that the source is of, and who leaves later. */
export function leavingDay(source: ColumnProfile, dialect: Dialect) {
  const day = asDay(source, dialect);
  return {
    source,
    left: `${day} > ${NO_DAY.before} AND ${day} <= ${AS_OF}`,
    /** They have given notice, and are still there. */
    notice: `${day} > ${AS_OF} AND ${day} < ${NO_DAY.after}`,
  };
}
