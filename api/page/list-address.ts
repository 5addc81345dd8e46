/** Where the list of whom to contact is, and its files. */
export const LIST_PATH = '/list';
export const LIST_FILES = { csv: '/list.csv', jsonl: '/list.jsonl' } as const;

/** What a list shows. Nothing in it is about a customer: addresses are kept in histories and logs. */
export interface ListView {
  /** Namespace and name. */
  readonly program?: string | undefined;
  readonly risk?: string | undefined;
  /** From 1. */
  readonly page?: number | undefined;
  /** The batch that the pages are of. */
  readonly run?: string | undefined;
  readonly excel?: boolean | undefined;
}

export function listAddress(view: ListView, path: string = LIST_PATH): string {
  const given = Object.entries(view).filter(
    ([name, value]) => value !== undefined && !(name === 'page' && value === 1),
  );
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return query === '' ? path : `${path}?${query}`;
}
