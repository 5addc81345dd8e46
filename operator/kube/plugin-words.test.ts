import { expect, test } from '@jest/globals';
import { tellWithoutSecrets, withoutSecrets } from './plugin-words.ts';

const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl';

test.each([
  [`got ${JWT} from the cache`, 'got *** from the cache'],
  ['Authorization: Bearer 3fa85f64-5717', 'Authorization: Bearer ***'],
  ['k8s-aws-v1.aHR0cHM6Ly9zdHMuYW1hem9u', '***'],
  ['{"token":"abc123def","expires":1}', '{"token":"***","expires":1}'],
  ['client_secret=s3cr3t-value in use', 'client_secret=*** in use'],
  ['the value hunter22 is of the environment', 'the value *** is of the environment'],
  // What a person has to read, or to type elsewhere.
  ['Password: ', 'Password: '],
  ['token: the refresh token has expired', 'token: the refresh token has expired'],
  [
    'open https://login.example/device?code_challenge=mTpdl3eWq8rxJ7Zc2 and enter ABCD-1234',
    'open https://login.example/device?code_challenge=mTpdl3eWq8rxJ7Zc2 and enter ABCD-1234',
  ],
])('"%s" is shown as "%s"', (said, shown) => {
  expect(withoutSecrets(said, ['hunter22', 'dev'])).toBe(shown);
});

test('what is said in pieces is told as it comes, and a secret that two pieces share is told in neither', () => {
  const told: string[] = [];
  const words = tellWithoutSecrets([], (text) => told.push(text));
  words.add('Password: ');
  expect(told).toEqual(['Password: ']);
  words.add(`have ${JWT.slice(0, 30)}`);
  words.add(`${JWT.slice(30)} and`);
  words.add(' more');
  words.end();
  expect(told.join('')).toBe('Password: have *** and more');
});
