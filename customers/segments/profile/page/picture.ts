import { type Html, html } from '../../../../base/text/html.ts';

/** A picture as drawn: its own units, in which text is 13 high. */
export interface Drawing {
  readonly id: string;
  readonly title: string;
  /** What it shows, to whoever sees none. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly shapes: readonly Html[];
}

/** An inline SVG with its title and description. */
export function picture({ id, title, description, width, height, shapes }: Drawing): Html {
  return html`<svg class="picture" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-text">
<title id="${id}-title">${title}</title>
<desc id="${id}-text">${description}</desc>
${shapes}
</svg>`;
}

export interface Figures {
  readonly caption: string;
  readonly heads: readonly string[];
  /** The first cell of each heads its row. */
  readonly rows: readonly (readonly string[])[];
}

/** The figures of a picture: closed for who sees it, and a table for who does not. */
export function figures({ caption, heads, rows }: Figures): Html {
  return html`<details><summary>${caption}: the figures</summary>
<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table><caption class="unseen">${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    ([first, ...others]) => html`<tr><th scope="row">${first}</th>${others.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  )}</tbody></table></div></details>`;
}

/** A number as a picture has it. */
export const point = (value: number): string => value.toFixed(1);

/** Colours of segments by their place among all that a page shows; there are eight. */
export const tone = (place: number): string => `tone-${place % 8}`;
