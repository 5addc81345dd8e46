import type { Measured } from '../../customers/training/measured.ts';
import { integer } from './figures.ts';

const WIDTH = 592;
const LEFT = 72;
const SIZE = 480;
const TOP = 84;
const BARS = 96;
const GAP = 44;
const HEIGHT = TOP + SIZE + GAP + BARS + 56;

const INK = '#1f2933';
const SOFT = '#7b8794';
const GRID = '#e4e7eb';
const DOT = '#0b6e4f';
const BAND = '#9fd8c4';

/**
 * A reliability plot as SVG: what happened over what was said, a dot for each bin with its 95 % interval and its rows,
 * the diagonal where both are the same, and below it how the scores lie.
 */
export function reliabilitySvg({ rows, auc, reliability }: Measured, modelId: string): string {
  const { bins, brier, calibrationError, baseRate } = reliability;
  const x = (share: number) => LEFT + share * SIZE;
  const y = (share: number) => TOP + (1 - share) * SIZE;
  const filled = bins.filter((bin) => bin.rows > 0);
  const most = Math.max(1, ...bins.map((bin) => bin.rows));
  const floor = TOP + SIZE + GAP + BARS;
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const parts = [
    rect(0, 0, WIDTH, HEIGHT, 'white'),
    text(LEFT, 32, `Reliability of ${modelId}`, { size: 20, weight: 600 }),
    text(
      LEFT,
      56,
      `${integer(rows)} rows, ${(100 * baseRate).toFixed(1)} % left · AUC ${auc.toFixed(3)} · Brier ${brier.toFixed(4)} · calibration error ${calibrationError.toFixed(3)}`,
      { fill: SOFT },
    ),
    ...ticks.flatMap((tick) => [
      path(`M${x(tick)} ${y(0)}V${y(1)}M${x(0)} ${y(tick)}H${x(1)}`, GRID),
      text(LEFT - 12, y(tick) + 4, tick.toFixed(1), { anchor: 'end', fill: SOFT }),
      text(x(tick), y(0) + 20, tick.toFixed(1), { anchor: 'middle', fill: SOFT }),
    ]),
    path(`M${x(0)} ${y(0)}L${x(1)} ${y(1)}`, SOFT, 'stroke-dasharray="6 5"'),
    path(
      `M${filled.map((bin) => `${point(x(bin.predicted))} ${point(y(bin.observed))}`).join('L')}`,
      BAND,
      'stroke-width="2"',
    ),
    ...filled.map((bin) => {
      const across = point(x(bin.predicted));
      const title = `${integer(bin.rows)} rows scored ${bin.from.toFixed(1)} to ${bin.to.toFixed(1)}: said ${bin.predicted.toFixed(3)}, left ${bin.observed.toFixed(3)} (95 % ${bin.low.toFixed(3)} to ${bin.high.toFixed(3)})`;
      const whisker = path(
        `M${across} ${point(y(bin.low))}V${point(y(bin.high))}M${across - 5} ${point(y(bin.low))}h10M${across - 5} ${point(y(bin.high))}h10`,
        DOT,
        'stroke-width="1.5"',
      );
      return `<g><title>${escape(title)}</title>${whisker}<circle cx="${across}" cy="${point(y(bin.observed))}" r="5" fill="${DOT}"/></g>`;
    }),
    text(20, TOP + SIZE / 2, 'share that left', { anchor: 'middle', turned: true }),
    text(x(0.03), y(0.94), 'above the line: more left than was said', { fill: SOFT, size: 12 }),
    text(x(0.97), y(0.04), 'below: fewer', { fill: SOFT, size: 12, anchor: 'end' }),
    ...bins.map((bin) => {
      const tall = bin.rows === 0 ? 0 : Math.max(1, (bin.rows / most) * (BARS - 18));
      const middle = x((bin.from + bin.to) / 2);
      const wide = SIZE / bins.length - 6;
      return `${rect(point(middle - wide / 2), point(floor - tall), point(wide), point(tall), BAND)}${text(point(middle), point(floor - tall - 5), integer(bin.rows), { anchor: 'middle', fill: SOFT, size: 11 })}`;
    }),
    path(`M${x(0)} ${floor}H${x(1)}`, SOFT),
    text(20, floor - BARS / 2, 'rows', { anchor: 'middle', turned: true }),
    ...ticks.map((tick) => text(x(tick), floor + 20, tick.toFixed(1), { anchor: 'middle', fill: SOFT })),
    text(x(0.5), floor + 42, 'score: risk of leaving that the model said', { anchor: 'middle' }),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13">
<title>${escape(`Reliability of ${modelId}`)}</title>
${parts.join('\n')}
</svg>
`;
}

function rect(x: number, y: number, width: number, height: number, fill: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"/>`;
}

function path(d: string, stroke: string, more = ''): string {
  return `<path d="${d}" fill="none" stroke="${stroke}" ${more}/>`;
}

interface TextStyle {
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly fill?: string;
  readonly size?: number;
  readonly weight?: number;
  readonly turned?: boolean;
}

function text(x: number, y: number, words: string, style: TextStyle = {}): string {
  const { anchor = 'start', fill = INK, size = 13, weight = 400, turned = false } = style;
  const turn = turned ? ` transform="rotate(-90 ${x} ${y})"` : '';
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${fill}" font-size="${size}" font-weight="${weight}"${turn}>${escape(words)}</text>`;
}

const point = (value: number) => Number(value.toFixed(2));

/** A text as XML takes it; characters that XML has no place for are left out. */
function escape(words: string): string {
  return words
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
