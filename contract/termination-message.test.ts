import { expect, test } from '@jest/globals';
import { readTerminationMessage, terminationMessage } from './termination-message.ts';

/** What Kubernetes keeps of a container's last words, in bytes. */
const KEPT = 4096;
const bytes = (text: string) => Buffer.byteLength(text);

/** A report whose message takes exactly so many bytes. */
function reportOf(length: number) {
  const report = { rowsIn: 1, rowsOut: 1, artifact: 'a'.repeat(64), counts: { removed: { '': 1 } } };
  const padding = length - bytes(JSON.stringify(report));
  return { ...report, counts: { removed: { [' '.repeat(padding)]: 1 } } };
}

test.each([
  ['a message of 4096 bytes is whole', KEPT, true],
  ['of one more the nested counts are left out', KEPT + 1, false],
  ['of twice as much they are left out', 2 * KEPT, false],
])('%s', (_sentence, length, whole) => {
  const text = terminationMessage(reportOf(length));
  expect(bytes(text)).toBeLessThanOrEqual(KEPT);
  expect(JSON.parse(text)).toMatchObject({ rowsIn: 1, rowsOut: 1, artifact: 'a'.repeat(64) });
  expect('removed' in (JSON.parse(text) as { counts: object }).counts).toBe(whole);
});

test('letters of several bytes are counted as bytes', () => {
  // 2,000 letters, of which each takes three bytes: few enough characters, and too many bytes.
  const text = terminationMessage({ rowsIn: 1, counts: { kept: 7, removed: { ['鷹'.repeat(2000)]: 1 } } });
  expect(bytes(text)).toBeLessThanOrEqual(KEPT);
  expect(JSON.parse(text)).toEqual({ rowsIn: 1, counts: { kept: 7 } });
});

test('where the counts alone are too many they go, and the rest stays', () => {
  const counts = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`count-${index}`, index]));
  expect(JSON.parse(terminationMessage({ rowsIn: 1, rowsOut: 2, counts }))).toEqual({ rowsIn: 1, rowsOut: 2 });
});

test('a long reason is cut, in whichever letters, and its code stays', () => {
  for (const letter of ['x', '鷹', '\u0001', '"']) {
    const text = terminationMessage({ error: { code: 'HF_DISK_FULL', message: letter.repeat(50_000) } });
    expect(bytes(text)).toBeLessThanOrEqual(KEPT);
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    expect(error.code).toBe('HF_DISK_FULL');
    expect(error.message.length).toBeGreaterThan(500);
  }
});

test('what a task says is what the operator reads, with counts of counts on one level', () => {
  const report = {
    rowsIn: 400,
    rowsOut: 100,
    artifact: 'a'.repeat(64),
    counts: { kept: 100, removed: { trust: 300 } },
    reused: ['extract', 'filter'],
  };
  expect(readTerminationMessage(terminationMessage(report))).toEqual({
    rowsIn: 400,
    rowsOut: 100,
    counts: { kept: 100, 'removed.trust': 300 },
    reused: ['extract', 'filter'],
  });
  const error = { code: 'HF_MODEL_MISSING', message: 'the file risk.onnx is not there' };
  expect(readTerminationMessage(terminationMessage({ error }))).toEqual({ error });
});

test.each([
  ['a log line', 'panic: out of memory', undefined],
  ['an array', '[1]', undefined],
  ['nothing', '', undefined],
  ['counts that are no counts', '{"rowsIn":-1,"rowsOut":0.5,"counts":{"a":"1","b":{"c":null}}}', {}],
  ['a code that is none of ours', '{"error":{"code":"<b>","message":"x"}}', {}],
  [
    'a message of several lines',
    '{"error":{"code":"HF_INTERNAL","message":"one\\n  two"}}',
    { error: { code: 'HF_INTERNAL', message: 'one two' } },
  ],
])('a message from outside is understood as far as it can be: %s', (_name, text, expected) => {
  expect(readTerminationMessage(text)).toEqual(expected);
});

test.each([
  ['no list', { reused: 'extract' }],
  ['names that are none', { reused: ['Extract', '../filter', 7, null, 'x'.repeat(64)] }],
])('of what was reused, %s says nothing', (_sentence, said) => {
  expect(readTerminationMessage(JSON.stringify(said))).toEqual({});
});
