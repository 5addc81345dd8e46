import { expect, test } from '@jest/globals';
import { spreadsheetText } from './spreadsheet-text.ts';

test.each([
  ['=1+1', "'=1+1"],
  ["=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['+1+cmd', "'+1+cmd"],
  ['-1+cmd', "'-1+cmd"],
  ['--5', "'--5"],
  ['-', "'-"],
  ['\t=1', "'\t'=1"],
  ['\rtext', "'\rtext"],
  ['\ntext', "'\ntext"],
  ['  =1', "'  =1"],
  ['\u00a0=1', "'\u00a0=1"],
  ['＝1', "'＝1"],
  ['＋1x', "'＋1x"],
  ['－1x', "'－1x"],
  ['＠a', "'＠a"],
  ['a;=1', "a;'=1"],
  ['a;"=1', `a;"'=1`],
  ['a; @b;+c', "a; '@b;'+c"],
  ['a\t-b', "a\t'-b"],
  ['a\r\n=b', "a\r\n'=b"],
])('%j is no formula any more', (text, harmless) => {
  expect(spreadsheetText(text)).toBe(harmless);
});

test.each([
  '',
  'C0001',
  '00123',
  '-12',
  '+49123456',
  '-1.5',
  'a=b',
  'a-b',
  'a, -5 %',
  "o'hara",
  '50 % off; upgrade',
  'ünïcødé',
])('%j stays as it is', (text) => expect(spreadsheetText(text)).toBe(text));
