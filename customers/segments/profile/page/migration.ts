import { type Html, html } from '../../../../base/text/html.ts';
import { shareInWords } from '../../words.ts';
import type { Told } from '../withheld.ts';
import type { ToldMigration } from '../withheld-migration.ts';
import { figures, picture, point } from './picture.ts';
import { customersInWords, dayInWords, WITHHELD } from './words.ts';

const CELL = 38;
const SIDE = 24;
const NEW = 'Not known before';
const GONE = 'Not known any more';

/** Where each group's customers are now: a row for each old group, darker the more of it. */
export function migrationPicture(migration: ToldMigration & { readonly since: string }): Html {
  const { from, to, both, gone, arrived, moves, since } = migration;
  const heads = [...to, ...(isTold(gone) ? [GONE] : [])];
  const names = [...from, ...(isTold(arrived) ? [NEW] : [])];
  const cells = names.map((_, i) => (i < from.length ? [...(both[i] as Told[]), gone[i]] : [...arrived]));
  const shapes = cells.flatMap((row, i) => {
    const most = Math.max(...row.map((count) => count ?? 0));
    return heads.map((head, j) => {
      const count = row[j];
      const strength = most === 0 ? 0 : (count ?? 0) / most;
      const [x, y] = [SIDE + j * CELL, SIDE + i * CELL];
      const words = `${names[i]} to ${head}: ${customersInWords(count)}`;
      const figure = count === undefined ? '·' : count === 0 ? '' : COMPACT.format(count);
      return html`<g><title>${words}</title><rect class="cell" x="${x}" y="${y}" width="${CELL - 2}" height="${CELL - 2}" rx="3"/><rect class="flow" x="${x}" y="${y}" width="${CELL - 2}" height="${CELL - 2}" rx="3" fill-opacity="${(strength * 0.5).toFixed(2)}"/><text x="${point(x + CELL / 2 - 1)}" y="${point(y + CELL / 2 + 3)}" text-anchor="middle">${figure}</text></g>`;
    });
  });
  const letters = [
    ...names.map(
      (_, i) =>
        html`<text x="${SIDE / 2}" y="${point(SIDE + i * CELL + CELL / 2 + 3)}" text-anchor="middle">${i + 1}</text>`,
    ),
    ...heads.map(
      (_, j) =>
        html`<text x="${point(SIDE + j * CELL + CELL / 2 - 1)}" y="15" text-anchor="middle">${letter(j)}</text>`,
    ),
  ];
  const staying = from.map((name, i) => {
    const j = to.indexOf(name);
    return `${name}: ${j < 0 ? 'none goes on' : customersInWords(both[i]?.[j])}`;
  });
  return html`${picture({
    id: 'migration',
    title: `Where the customers of ${dayInWords(since)} are now`,
    description: `Rows are the groups then, columns the groups now. In the same group as then: ${staying.join('; ')}.`,
    width: SIDE + heads.length * CELL,
    height: SIDE + names.length * CELL,
    shapes: [...letters, ...shapes],
  })}
<div class="keys"><div><h3>Then (rows)</h3><ol>${names.map((name) => html`<li>${name}</li>`)}</ol></div>
<div><h3>Now (columns)</h3><ol type="a">${heads.map((name) => html`<li>${name}</li>`)}</ol></div></div>
<p class="quiet">In customers; the darker, the more of the row. A dot is a number that is withheld.</p>
${moves === undefined ? html`` : html`<p>${movesInWords(moves)}</p>`}
${figures({
  caption: `Customers by group on ${dayInWords(since)} and now`,
  heads: ['Then', ...heads],
  rows: names.map((name, i) => [name, ...heads.map((_, j) => customersInWords(cells[i]?.[j]))]),
})}`;
}

function movesInWords({ stayed, moved, customerChanged, modelChanged }: NonNullable<ToldMigration['moves']>): string {
  const all = stayed + moved;
  const sentence = `Of ${all.toLocaleString('en-GB')} customers who were and are in a segment, ${stayed.toLocaleString('en-GB')} (${all === 0 ? WITHHELD : shareInWords(stayed / all)}) stayed in theirs.`;
  if (customerChanged === undefined || modelChanged === undefined) return sentence;
  return `${sentence} ${customerChanged.toLocaleString('en-GB')} moved since they changed, ${modelChanged.toLocaleString('en-GB')} since the model did.`;
}

/** Whether there is anything to show: withheld is, nobody at all is not. */
const isTold = (counts: readonly Told[]): boolean => counts.some((count) => count !== 0);

/** What fits into a cell: the table beside has the whole number. */
const COMPACT = new Intl.NumberFormat('en-GB', { notation: 'compact', maximumSignificantDigits: 3 });

/** As lists are lettered: a to z, then aa. */
const letter = (place: number): string =>
  place < 26 ? String.fromCharCode(97 + place) : `${letter(Math.floor(place / 26) - 1)}${letter(place % 26)}`;
