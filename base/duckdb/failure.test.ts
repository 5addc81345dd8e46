import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { HoldfastError } from '../errors.ts';
import { openEngine } from './engine.ts';
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

test('a want of memory has a code of its own, says what to do, and is not tried again', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 32, scratchFolder: tmpdir() });
  const failed = withoutValues(
    () => engine.rows('SELECT len(list(range)) AS length FROM range(20_000_000)'),
    (reason, cause) => new HoldfastError('HF_WAREHOUSE_UNREACHABLE', `Connector shop: ${reason}.`, { cause }),
    'no room',
  );
  await expect(failed).rejects.toMatchObject({
    code: 'HF_OUT_OF_MEMORY',
    kind: 'terminal',
    message: expect.stringMatching(/^Connector shop: Out of Memory Error: .*; give it more memory \(execution\.memory/),
  });
});

test('a file that may not be read is named so, though it was never up to DuckDB', async () => {
  const refused = Object.assign(new Error("EACCES: permission denied, open '/home/ann/x.csv'"), { code: 'EACCES' });
  const failed = withoutValues(
    () => Promise.reject(refused),
    (reason, cause) => new HoldfastError('HF_WAREHOUSE_UNREADABLE', reason, { cause }),
    'no room',
  );
  await expect(failed).rejects.toThrow(/^it may not be read by this user \(EACCES\)$/);
});

test.each([
  ['ERR_MODULE_NOT_FOUND', 'a part of this program is missing (ERR_MODULE_NOT_FOUND): install it again'],
  ['ERR_INVALID_ARG_VALUE', 'Node.js refused (ERR_INVALID_ARG_VALUE)'],
  ['ELOOP', 'it is a link that leads back to itself (ELOOP)'],
  ['ENAMETOOLONG', 'it has a name that is too long (ENAMETOOLONG)'],
])('%s is told as what it is, without what it quotes, and is not tried again', async (code, reason) => {
  let passes: boolean | undefined;
  const failed = withoutValues(
    () => Promise.reject(Object.assign(new Error('Received ann@example.com'), { code })),
    (said, cause, passing) => {
      passes = passing;
      return new HoldfastError('HF_WAREHOUSE_UNREADABLE', said, { cause });
    },
    'no room',
  );
  await expect(failed).rejects.toMatchObject({ message: reason });
  expect(passes).toBe(false);
});
