import { expect, test } from '@jest/globals';
import { canvasOn } from './redraw.ts';

function output(
  isTTY: boolean,
  columns = 30,
): { written: string[]; write(text: string): void } & { isTTY: boolean; columns: number } {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text) => void written.push(text) };
}

test('on a terminal a picture is drawn in place of the one before, and only when it differs', () => {
  const terminal = output(true);
  const canvas = canvasOn(terminal);
  canvas.draw(['one', 'two']);
  canvas.draw(['one', 'two']);
  canvas.draw(['one', 'three', 'four']);
  canvas.say('lost');
  expect(terminal.written).toEqual([
    'one\ntwo\n',
    '\u001b[2A\r\u001b[Jone\nthree\nfour\n',
    '\u001b[3A\r\u001b[Jlost\none\nthree\nfour\n',
  ]);
});

test('no line is longer than the terminal, which would draw it as two, and none has control characters', () => {
  const terminal = output(true, 24);
  canvasOn(terminal).draw(['x'.repeat(80), 'a\u001b[2Jb']);
  expect(terminal.written).toEqual([`${'x'.repeat(22)}…\na\\u001b[2Jb\n`]);
});

test('no picture is higher than the terminal, which could not draw it in place', () => {
  const terminal = { ...output(true), rows: 4 };
  const canvas = canvasOn(terminal);
  canvas.draw(['1', '2', '3', '4']);
  canvas.draw(['1', '2', '3']);
  expect(terminal.written).toEqual(['1\n2\n… and 2 more lines\n', '\u001b[3A\r\u001b[J1\n2\n3\n']);
});

test('in a log a line is written when it is new', () => {
  const log = output(false);
  const canvas = canvasOn(log);
  canvas.draw(['run  Pending', '  waits']);
  canvas.draw(['run  Running', '  waits', 'a\u001bb']);
  canvas.draw(['run  Running']);
  expect(log.written).toEqual(['run  Pending\n', '  waits\n', 'run  Running\n', 'a\\u001bb\n']);
});
