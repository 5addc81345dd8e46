import { expect, test } from '@jest/globals';
import { unprivileged } from './server-user.ts';

const NOBODY = 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin';
const POSTGRES = 'postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash';

test.each([
  [
    'root hands over to the user postgres where there is one',
    `root:x:0:0::/root:/bin/sh\n${NOBODY}\n${POSTGRES}\n`,
    { uid: 101, gid: 104 },
  ],
  ['else to nobody', `root:x:0:0::/root:/bin/sh\n${NOBODY}\n`, { uid: 65_534, gid: 65_533 }],
  ['else to the number that nobody has everywhere', 'root:x:0:0::/root:/bin/sh\n', { uid: 65_534, gid: 65_534 }],
])('%s', (_sentence, passwd, owner) => {
  expect(unprivileged(passwd)).toEqual(owner);
});
