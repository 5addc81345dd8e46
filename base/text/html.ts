/** A piece of HTML that is safe to put into another. */
export interface Html {
  readonly html: string;
}

type Value = string | number | Html | readonly Html[] | undefined;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A template in which every value is text, unless it is a piece made by this. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { html: parts.map((part, index) => part + (index < values.length ? piece(values[index]) : '')).join('') };
}

function piece(value: Value): string {
  if (value === undefined) return '';
  if (typeof value !== 'object') return String(value).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  return 'html' in value ? value.html : value.map(({ html }) => html).join('');
}
