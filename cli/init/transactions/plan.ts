import type { Dialect } from '../dialect.ts';
import type { Mapping } from '../mapping.ts';
import type { Played } from './roles.ts';

/** What a row is worth: a column, or a price times a number of pieces. */
export interface Money {
  readonly columns: readonly Played[];
  /** Whether every row of a basket has the amount of the whole basket. */
  readonly ofBasket: boolean;
}

/** Words by which a column says that nothing was bought, or that it came back. */
export interface Kind {
  readonly played: Played;
  readonly undone: readonly string[];
  readonly returned: readonly string[];
}

/** What the query of a program for transactions is made of. */
export interface TransactionPlan {
  /** As SQL names it. */
  readonly table: string;
  readonly dialect: Dialect;
  readonly customer: Played;
  readonly day: Played;
  readonly basket: Played | undefined;
  /** Whether ids of baskets are used again on other days. */
  readonly basketOfDay: boolean;
  readonly money: Money | undefined;
  readonly kind: Kind | undefined;
  /** What is known of the customer as such, such as the country: the newest counts. */
  readonly attributes: readonly Mapping[];
  /** The marketplace of everybody, where no column says it. */
  readonly marketplace: string | undefined;
}
