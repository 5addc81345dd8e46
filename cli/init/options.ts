/** Options as the command line gives them. */
export interface InitOptions {
  readonly out: string;
  readonly output: 'text' | 'json';
  readonly force?: boolean;
  readonly id?: string;
  readonly dates?: 'ymd' | 'mdy' | 'dmy';
  readonly decimal?: 'point' | 'comma';
  readonly label?: string;
  readonly rows?: 'customers' | 'transactions';
  readonly cut?: string;
  readonly horizon?: string;
  readonly table?: string;
  readonly sheet?: string;
  readonly connector: string;
  readonly marketplace: string;
  readonly useProtected: readonly string[];
  readonly name?: string;
  readonly seed: string;
}
