import { type Engine, identifier, literal } from '../../../base/duckdb/engine.ts';
import { numberForm } from '../../../base/duckdb/number-types.ts';
import { HoldfastError } from '../../../base/errors.ts';
import { beginningOf } from './csv-records.ts';
import { alteredByType } from './csv-source.ts';
import { ANOTHER_ENCODING, otherEncoding } from './csv-trouble.ts';
import { asPattern } from './file-format.ts';

/** Bytes that tell what a file is. */
const LOOKED_AT = 4096;
/** Objects within objects that become columns; what is deeper stays JSON. */
const DEEPEST = 4;
const MOST_COLUMNS = 2000;

/** What `json_group_structure` says of all rows: a type, an object's members, or a list's elements. */
type Structure = string | { readonly [member: string]: Structure } | readonly [Structure];

interface Column {
  /** Members on the way to it, joined by points. */
  readonly name: string;
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  readonly type: string;
}

/**
 * The SELECT of JSON files in which each row is an object: one a line, or all in one list. An object within is flattened,
 * so that `{"address": {"city": …}}` has the column `address.city`; a list is left as the JSON that it is.
 * @param allVarchar leaves every value the text that is written there, numbers with all their digits
 * @throws HF_SOURCE_UNSUITABLE naming the file, the line that is in the way, and what to do about it
 */
export async function jsonScan(
  engine: Engine,
  connectorId: string,
  files: readonly string[],
  allVarchar = false,
): Promise<string> {
  const refuse = (trouble: string, cause?: unknown) =>
    new HoldfastError(
      'HF_SOURCE_UNSUITABLE',
      `Connector ${connectorId}: cannot read ${files.join(', ')}: ${trouble}.`,
      {
        cause,
      },
    );
  for (const file of files) {
    const encoding = otherEncoding((await beginningOf(file, LOOKED_AT)).bytes);
    if (encoding !== undefined) throw refuse(encoding.replaceAll('.csv', '.jsonl'));
  }
  const objects = `read_json_objects([${files.map(asPattern).map(literal).join(', ')}], format = 'auto')`;
  const { rows, structure } = await refuseDeep(engine, objects, refuse)
    .then(() => structureOf(engine, objects))
    .catch((error: unknown) => {
      if (error instanceof HoldfastError) throw error;
      const trouble = troubleOf(error);
      throw trouble === undefined ? error : refuse(trouble, error);
    });
  if (typeof structure === 'string' || isList(structure)) {
    if (rows === 0) throw refuse('it holds no row');
    throw refuse('its rows are no objects: give each value a name, as in {"customer_id": 1}');
  }
  const lists = Object.entries(structure).filter(([, inner]) => isList(inner) && isObject(inner[0]));
  if (rows === 1 && lists.length === 1) {
    const path = `.[${JSON.stringify(lists[0]?.[0])}][]`;
    throw refuse(`it is one object whose rows are in a list: jq -c '${path.replaceAll("'", "'\\''")}' IN >OUT.jsonl`);
  }
  const paths = objectsIn(structure);
  if (paths.some(({ members }) => members.includes(''))) throw refuse('a value has an empty name: give it another');
  if (
    await hasNameTwice(
      engine,
      objects,
      paths.map(({ pointer }) => pointer),
    )
  ) {
    throw refuse('an object has a name twice, and nobody can tell which of the values counts: leave one out');
  }
  const columns = columnsOf(structure);
  if (columns.length > MOST_COLUMNS) {
    throw refuse(
      `it has ${columns.length} columns, and at most ${MOST_COLUMNS} can be looked at: keep those that say something`,
    );
  }
  const flattened = columns.some(({ name }, index) => columns.findIndex((other) => other.name === name) < index);
  if (flattened) {
    throw refuse('a name with a point, as in "a.b", stands beside an object a that has a b: rename one of them');
  }
  const twice = columns.find(({ name }, index) =>
    columns.slice(0, index).some((other) => other.name.toLowerCase() === name.toLowerCase()),
  );
  if (twice !== undefined) throw refuse('two of its names differ in capitals only: rename one of them');
  const pointers = columns.map(({ pointer }) => literal(pointer)).join(', ');
  const texts = columns.map(({ name }, index) => `holdfast_values[${index + 1}] AS ${identifier(name)}`);
  const scan = `(SELECT ${texts.join(', ')} FROM (SELECT json_extract_string(json, [${pointers}]) AS holdfast_values FROM ${objects}))`;
  if (allVarchar) return scan;
  const sniffed = columns.map(({ name, type }) => ({ column_name: name, column_type: type }));
  const altered = await alteredByType(engine, scan, sniffed);
  const typed = columns.map(({ name, type }) =>
    altered.has(name) || type === 'VARCHAR'
      ? identifier(name)
      : `CAST(${identifier(name)} AS ${type}) AS ${identifier(name)}`,
  );
  return `(SELECT ${typed.join(', ')} FROM ${scan})`;
}

/** Whether an object of a row, at one of these JSON pointers, has a name twice: what reads it takes the first. */
async function hasNameTwice(engine: Engine, objects: string, pointers: readonly string[]): Promise<boolean> {
  const keys = pointers.map((pointer) => `json_keys(json, ${literal(pointer)})`);
  const tests = keys.map((list) => `bool_or(len(${list}) > len(list_distinct(${list})))`);
  const [found] = await engine.rows<{ twice: boolean | null }>(
    `SELECT ${tests.map((test) => `coalesce(${test}, false)`).join(' OR ')} AS twice FROM ${objects}`,
  );
  return found?.twice === true;
}

/** Objects and lists within one another that a row may have: DuckDB's own looking into them is bounded by the stack only. */
const MOST_DEEP = 200;

async function refuseDeep(engine: Engine, objects: string, refuse: (trouble: string) => HoldfastError): Promise<void> {
  const text = 'CAST(json AS VARCHAR)';
  const suspects = `SELECT ${text} FROM ${objects} WHERE length(${text}) - length(translate(${text}, '[{', '')) > ${MOST_DEEP}`;
  for await (const chunk of engine.chunks(suspects)) {
    for (const row of chunk.getColumnValues(0)) {
      if (depthOf(String(row)) > MOST_DEEP) {
        throw refuse(`a row has objects or lists that lie more than ${MOST_DEEP} deep in one another: leave them out`);
      }
    }
  }
}

/** How deep the objects and lists of a JSON text lie in one another. */
function depthOf(json: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[{]|[\]}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

async function structureOf(engine: Engine, objects: string): Promise<{ rows: number; structure: Structure }> {
  const [found] = await engine.rows<{ rows: string; structure: string | null }>(
    `SELECT count(*) AS rows, CAST(json_group_structure(json) AS VARCHAR) AS structure FROM ${objects}`,
  );
  return { rows: Number(found?.rows ?? 0), structure: JSON.parse(found?.structure ?? '"NULL"') as Structure };
}

function isList(structure: Structure): structure is readonly [Structure] {
  return Array.isArray(structure);
}

function isObject(structure: Structure): structure is Readonly<Record<string, Structure>> {
  return typeof structure === 'object' && !isList(structure);
}

/** The type of a column by what `json_group_structure` says of it; what is neither number nor truth stays text. */
function typeOf(structure: Structure): string {
  if (typeof structure !== 'string') return 'VARCHAR';
  if (structure === 'BOOLEAN') return structure;
  const form = numberForm(structure);
  return form === undefined ? 'VARCHAR' : form === 'whole' ? 'BIGINT' : 'DOUBLE';
}

/** A row, and the objects in it that are flattened, with the names of what they hold. */
function objectsIn(
  structure: Readonly<Record<string, Structure>>,
  pointer = '',
  depth = 1,
): { readonly pointer: string; readonly members: readonly string[] }[] {
  const within = Object.entries(structure).flatMap(([member, inner]) =>
    isObject(inner) && depth < DEEPEST ? objectsIn(inner, `${pointer}/${escaped(member)}`, depth + 1) : [],
  );
  return [{ pointer, members: Object.keys(structure) }, ...within];
}

/** A name as a JSON pointer has it. */
const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

function columnsOf(structure: Readonly<Record<string, Structure>>, names: readonly string[] = []): Column[] {
  return Object.entries(structure).flatMap(([member, inner]) => {
    const path = [...names, member];
    if (isObject(inner) && Object.keys(inner).length > 0 && path.length < DEEPEST) return columnsOf(inner, path);
    const pointer = path.map((name) => `/${escaped(name)}`).join('');
    return [{ name: path.join('.'), pointer, type: typeOf(inner) }];
  });
}

/** What DuckDB refuses of a file, without a value of it. */
function troubleOf(error: unknown): string | undefined {
  const { message = '' } = (error ?? {}) as Partial<Error>;
  if (message.includes('maximum_object_size')) {
    return 'a row is longer than 16 MiB: leave out what is not of the customer, such as pictures and documents';
  }
  const [, unit = '', number = '', reason = ''] =
    /at byte \d+ in (line|record\/value) (\d+): ([a-z][a-z0-9 ,()'-]*)/i.exec(message) ?? [];
  if (reason === '') return undefined;
  // It counts from two.
  const where = unit === 'line' ? `line ${Number(number) - 1}` : `row ${Number(number) - 1}`;
  return /utf-8/i.test(reason)
    ? `${where} is not UTF-8: ${ANOTHER_ENCODING}`
    : `${where} is not JSON (${reason.trim()}): jq -c . IN >/dev/null shows the place`;
}
