import { expect, test } from '@jest/globals';
import { HoldfastError } from '../errors.ts';
import { withoutValues } from './failure.ts';

test('a column that a file no longer has is named as one that is not there', async () => {
  const said =
    'Binder Error: Column "opted_out" referenced that exists in the SELECT clause - but this column cannot be referenced before it is defined\n\nLINE 9: …';
  const failed = withoutValues(
    () => Promise.reject(new Error(said)),
    (reason, cause) => new HoldfastError('HF_WAREHOUSE_UNREADABLE', reason, { cause }),
    'no room',
  );
  await expect(failed).rejects.toThrow(/^Binder Error: there is no column "opted_out" to read$/);
});
