import { HoldfastError } from '../errors.ts';

/**
 * The parts of a table's name, schema first: `past_offers` or `analytics.past_offers`.
 * @throws HF_MANIFEST_INVALID when it is not a plain name
 */
export function tableParts(
  table: string,
  connectorId: string,
): { readonly schema: string | undefined; readonly name: string } {
  const parts = /^(?:([A-Za-z_][\w$]*)\.)?([A-Za-z_][\w$]*)$/.exec(table);
  if (parts?.[2] === undefined) {
    const sentence = `Connector ${connectorId}: ${JSON.stringify(table)} is not the name of a table; give table or schema.table.`;
    throw new HoldfastError('HF_MANIFEST_INVALID', sentence);
  }
  return { schema: parts[1], name: parts[2] };
}
