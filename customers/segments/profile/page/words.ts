import { shareInWords } from '../../words.ts';
import type { Rate } from '../profile.ts';
import { FEWEST, type Told } from '../withheld.ts';

export const WITHHELD = 'withheld';

export function customersInWords(count: Told): string {
  return count === undefined ? WITHHELD : count.toLocaleString('en-GB');
}

export function rateInWords(rate: Rate | undefined): string {
  return rate === undefined ? WITHHELD : shareInWords(rate.rate);
}

export function intervalInWords({ low, high }: Rate): string {
  return `${shareInWords(low)} to ${shareInWords(high)}`;
}

export const WITHHELD_NOTE = `Nothing is told of fewer than ${FEWEST} customers, nor what they could be computed from.`;

/** A day as people write it, such as `1 June 2011`. */
export function dayInWords(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
}

/** The same in little room, such as `Jun 11`. */
export function monthInWords(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime())) return date;
  return day.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
}

const LETTERS = new Intl.Segmenter('en');

/** What fits into a picture, both ends of it, as what tells names apart may be at the end; the table beside has it whole. */
export function shortened(text: string, most: number): string {
  const letters = Array.from(LETTERS.segment(text), ({ segment }) => segment);
  if (letters.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, head).join('')}…${letters.slice(letters.length - (most - 1 - head)).join('')}`;
}
