import { type KubeApi, KubeError, type KubeObject, type List, type ListOptions, type Resource } from './api.ts';

export interface PageSizes {
  /** Objects in the first page, of whose size nothing is known. */
  readonly first: number;
  readonly most: number;
  /** How large a page should be: what one takes to read is time and memory that everything else waits for. */
  readonly bytes: number;
}

const SIZES: PageSizes = { first: 50, most: 500, bytes: 4 * 1024 ** 2 };

/** However small the objects of a page were, those of the next may not be. */
const GROWTH = 4;

/**
 * A list in pages, as of one version; small ones where objects are large.
 * @throws KubeError with status 410 when the token for the next page has expired: the list is to begin anew
 */
export async function* pages<T extends KubeObject>(
  api: KubeApi,
  resource: Resource,
  scope: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'metadataOnly'>,
  signal?: AbortSignal,
  sizes: Partial<PageSizes> = {},
): AsyncGenerator<List<T>> {
  const { first, most, bytes } = { ...SIZES, ...sizes };
  let limit = first;
  let from: string | undefined;
  for (;;) {
    const options = { ...scope, limit, ...(from === undefined ? {} : { continue: from }) };
    let page: List<T>;
    try {
      page = await api.list<T>(resource, options, signal);
    } catch (error) {
      if (!(error instanceof KubeError) || error.reason !== 'TooLarge' || limit === 1) throw error;
      limit = Math.ceil(limit / (2 * GROWTH));
      continue;
    }
    yield page;
    if (page.continue === undefined) return;
    from = page.continue;
    const fitting = Math.floor((bytes * page.items.length) / Math.max(1, page.bytes ?? 0));
    limit = Math.max(1, Math.min(fitting, limit * GROWTH, most));
  }
}
