import { printable, shortened } from '../../base/text/printable.ts';
import type { Output } from '../io.ts';

/** Where a picture of several lines is drawn anew. */
export interface Canvas {
  /** Draws the lines in place of those before; where that cannot be, writes those that were not among them. */
  draw(lines: readonly string[]): void;
  /** A line that stays, above the picture. */
  say(line: string): void;
}

/** On a terminal a picture that changes in place; otherwise a line for each that is new. */
export function canvasOn(output: Output): Canvas {
  return output.isTTY === true ? inPlace(output) : lineByLine(output);
}

const NARROWEST = 20;
const LOWEST = 3;

function inPlace(output: Output): Canvas {
  let drawn: readonly string[] = [];
  const fitting = (line: string) => {
    const columns = output.columns ?? 80;
    const most = Math.max(NARROWEST, columns) - 1;
    return line.length <= most ? line : shortened(line, most - 1);
  };
  // What has left the screen at its top can no longer be drawn anew.
  const withinScreen = (lines: readonly string[]) => {
    const { rows = 0 } = output;
    // 0 is how a terminal says that it does not know.
    const most = rows === 0 ? lines.length : Math.max(LOWEST, rows) - 1;
    if (lines.length <= most) return lines;
    return [...lines.slice(0, most - 1), `… and ${lines.length - most + 1} more lines`];
  };
  const back = () => (drawn.length === 0 ? '' : `\u001B[${drawn.length}A\r\u001B[J`);
  const put = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
  return {
    draw(lines) {
      const next = withinScreen(lines).map((line) => fitting(printable(line)));
      if (next.length === drawn.length && next.every((line, index) => line === drawn[index])) return;
      output.write(back() + put(next));
      drawn = next;
    },
    say(line) {
      output.write(`${back()}${printable(line)}\n${put(drawn)}`);
    },
  };
}

function lineByLine(output: Output): Canvas {
  let written: readonly string[] = [];
  return {
    draw(lines) {
      const next = lines.map(printable);
      for (const line of next) if (!written.includes(line)) output.write(`${line}\n`);
      written = next;
    },
    say: (line) => output.write(`${printable(line)}\n`),
  };
}
