import type { Cut } from './horizon.ts';

/** The label of a model of transactions, as its JSON has it and a person is shown it. */
export function outcomeLabel({ cut, horizon }: Pick<Cut, 'cut' | 'horizon'>): string {
  return `no purchase within ${horizon} days of ${cut}`;
}

/** The cut at which a model with such a label was trained; undefined of any other label. */
export function trainedCut(label: string): string | undefined {
  return /^no purchase within \d+ days of (\d{4}-\d\d-\d\d)$/.exec(label)?.[1];
}
