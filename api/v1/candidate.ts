import { type TObject, type TSchema, Type } from 'typebox';
import { count, fields, oneOf } from '../../base/schema/fields.ts';
import {
  ordered,
  STORED_COLUMNS,
  type StoredCandidate,
  type StoredColumn,
  type StoredName,
} from '../../customers/columns/stored-columns.ts';
import { moment, orNull } from './words.ts';

/** A field of the API: the column that it shows, its place (`offer.tier` is within an object), and what it is. */
interface Field {
  readonly name: StoredName;
  readonly path: readonly [string] | readonly [string, string];
  readonly schema: TSchema;
  readonly forAnalysis: boolean;
}

const FIELDS: readonly Field[] = ordered(
  STORED_COLUMNS.flatMap((column): Field[] => {
    const { name, description, stored } = column;
    if (stored.api === undefined) return [];
    const [outer = '', inner] = stored.api.name.split('.');
    const schema = schemaOf(column, stored.api.meaning ?? description);
    const path: Field['path'] = inner === undefined ? [outer] : [outer, inner];
    return [{ name, path, schema, forAnalysis: stored.forAnalysis === true }];
  }),
  [
    'customer_id',
    'run',
    'slot',
    'risk_score',
    'risk_level',
    'churn_signals',
    'risk_reasons',
    'offer_tier',
    'offer_kind',
    'discount',
    'duration_months',
    'include_upgrade',
    'include_personal_call',
    'arm',
    'epoch',
    'lifetime_value',
    'subscription_tier',
    'segment',
    'marketplace',
    'currency',
    'timezone',
    'locale',
    'created_at',
    'expires_at',
  ],
);

function schemaOf({ stored, ...column }: StoredColumn, meaning: string): TSchema {
  return stored.required === true
    ? valueSchema(column, { description: meaning })
    : orNull(valueSchema(column), meaning);
}

function valueSchema(
  { type, values, minimum, maximum }: Omit<StoredColumn, 'stored'>,
  said: { readonly description?: string } = {},
): TSchema {
  const bounds = { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
  switch (type) {
    case 'VARCHAR':
      return values === undefined ? Type.String(said) : oneOf(values, said.description ?? '');
    case 'VARCHAR[]':
      return Type.Array(Type.String(), said);
    case 'TIMESTAMPTZ':
      return moment(said.description ?? '');
    case 'INTEGER':
      return minimum === 0 ? count(said.description ?? '') : Type.Integer({ ...bounds, ...said });
    case 'DOUBLE':
      return Type.Number({ ...bounds, ...said });
    case 'BOOLEAN':
      return Type.Boolean(said);
  }
}

/** What the objects within a candidate are. */
const WITHIN: Readonly<Record<string, string>> = { offer: 'What was decided for the customer.' };

/** A candidate as the API shows it: what of each stored column, and under which name, is said in the table of columns. */
export const candidate: TObject = fields(
  'A customer who is about to leave, and what was decided.',
  Object.fromEntries(
    FIELDS.map(({ path: [outer], schema, forAnalysis }) => {
      const within = FIELDS.flatMap(({ path: [other, inner], schema: one }) =>
        other === outer && inner !== undefined ? [[inner, one] as const] : [],
      );
      const shown = within.length === 0 ? schema : fields(WITHIN[outer] ?? '', Object.fromEntries(within));
      return [outer, forAnalysis ? Type.Optional(shown) : shown];
    }),
  ),
);

/** A stored candidate as the API shows it. @param withArm whether what tells that there is an experiment is shown */
export function toCandidate(row: StoredCandidate, withArm: boolean): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = {};
  for (const { name, path, forAnalysis } of FIELDS) {
    if (forAnalysis && !withArm) continue;
    const [outer, inner] = path;
    const value = row[name];
    const written = value instanceof Date ? value.toISOString() : value;
    if (inner === undefined) shown[outer] = written;
    else ((shown[outer] ??= {}) as Record<string, unknown>)[inner] = written;
  }
  return shown;
}
