import { identifier, literal } from '../../base/duckdb/engine.ts';
import { isNumeric } from '../../base/duckdb/number-types.ts';
import { forShell } from '../../base/text/printable.ts';
import { unsuitable } from '../../customers/training/unsuitable.ts';
import { type Dialect, DUCKDB } from './dialect.ts';
import { asNumber, asText, asTruth, byWord, isText } from './expressions.ts';
import { columnNamed } from './identity.ts';
import { isLeavingDay, leavingDay, saysLeft, saysStayed } from './leaving.ts';
import type { ColumnProfile } from './profile.ts';
import { shown, truthOf } from './words.ts';

/** The column that says who left. */
export interface Label {
  readonly source: ColumnProfile;
  /** SQL: true of those who left, false of those who stayed, NULL where it is not known. */
  readonly expression: string;
  /** Whether it reads `AS_OF`: a day is that of those who have left if it has come. */
  readonly dated: boolean;
  /** Whether its words alone say it, so that any other says nothing of whether somebody left. */
  readonly closed?: boolean;
  readonly confidence: number;
  readonly reason: string;
}

const UNIT = '(?:d|days?|w|weeks?|m|mo|mths?|months?|q|quarters?|y|yrs?|years?)';
/** Within how long: `churn_90`, `churned_30d`, `churn in next 3 months`. */
const HORIZON = `(?:\\d+${UNIT}?)?(?: (?:in|within|next|after|over|the|${UNIT}|\\d+${UNIT}?))*`;
const FLAG = '(?: (?:label|flag|value|status|yn|bool|boolean|binary|target|outcome|event|indicator|ind|class))?';
const LEFT_NAME =
  '(?:churn(?:ed|er)?|attrit(?:ed|ion)|exit(?:ed)?|cancel+(?:ed|ation)?|left|defected|lapsed|terminated|deactivated|lost)';
const PREFIX = '(?:(?:is|has|had|did|will|was|to|y|target|label|customer|client|user|account|subscription) )*';

const NAMES: readonly (readonly [pattern: RegExp, confidence: number])[] = [
  [/^(?:is |has |customer )?(?:churn|churned|attrited|exited|attrition|cancel+ed|churner)$/, 0.95],
  [/^(?:churn|attrition|exit|cancel+ation)(?:ed)? ?(?:label|flag|value|status|yn|bool|binary|risk flag)$/, 0.9],
  [new RegExp(`^${PREFIX}${LEFT_NAME}${FLAG}${HORIZON}${FLAG}$`), 0.85],
  [/^(?:is )?(?:lost|inactive next month|gone)$|^(?:account|subscription|contract) closed$/, 0.8],
  [/^(?:k(?:ü|ue)ndigung|gek(?:ü|ue)ndigt|abgewandert)$/, 0.8],
  [/^(?:customer ?status|subscription ?status)$/, 0.6],
  [/^(?:target|label|y|outcome)$/, 0.5],
];

/** Labels that say for sure that somebody left, whatever else does. */
const SURE = 0.8;

/** Whether a column of this name may be a label, if its values tell who left. */
export function mayBeLabel(words: string): boolean {
  return confidenceOf(words) > 0;
}

/** Whether a column of this name says who left, if its values do. */
export function isLabelName(words: string): boolean {
  return confidenceOf(words) >= SURE;
}

function confidenceOf(words: string): number {
  return NAMES.find(([pattern]) => pattern.test(words))?.[1] ?? 0;
}

/**
 * Finds the column that says who left: by its name, when its values can be told apart.
 * @param wanted its name, or its name and the value of those who left, such as `status=gone`
 * @throws HF_SOURCE_UNSUITABLE when a person named one that cannot serve
 */
export function findLabel(
  profiles: readonly ColumnProfile[],
  wanted: string | undefined,
  dialect: Dialect = DUCKDB,
): Label | undefined {
  if (wanted !== undefined) return given(profiles, wanted, dialect);
  const [best] = profiles
    .flatMap((source) => {
      const confidence = confidenceOf(source.words);
      const expression = confidence === 0 ? undefined : outcome(source);
      if (expression === undefined) return [];
      const reason = 'named like what says who left';
      return [
        { source, expression, dated: false, closed: confidence >= SURE && source.kind === 'text', confidence, reason },
      ];
    })
    .sort((a, b) => b.confidence - a.confidence);
  return best;
}

function given(profiles: readonly ColumnProfile[], wanted: string, dialect: Dialect): Label {
  const [, name = wanted, value] = /^(.+?)=(.*)$/.exec(wanted) ?? [];
  const isName = profiles.some((profile) => profile.name === wanted);
  const source = columnNamed(profiles, isName ? wanted : name, '--label');
  const chosen = { source, dated: false, confidence: 1, reason: 'given by --label' };
  if (value !== undefined && !isName) return { ...chosen, expression: isValue(source, value, dialect) };
  const no = STAYED_NAME.test(source.words) ? noOf(source) : undefined;
  if (no !== undefined) {
    throw unsuitable(
      `--label ${shown(source.name)}: it is named like what says who stayed. Say which of its values those have who left, ` +
        `such as --label ${forShell(`${source.name}=${no}`)}`,
    );
  }
  const expression = outcome(source);
  if (expression !== undefined) return { ...chosen, expression, closed: source.kind === 'text' };
  if (source.kind === 'date' && source.filled < source.rows) return { ...chosen, ...byDay(source, dialect) };
  if (isFilledAfterwards(source)) {
    return {
      ...chosen,
      expression: `${isText(source) ? identifier(source.name) : asText(source)} IS NOT NULL`,
      reason: 'given by --label: filled for those who left',
    };
  }
  throw unsuitable(
    `--label ${shown(source.name)}: cannot tell which of its ${source.distinct} values is that of those who left; ` +
      'give it as --label COLUMN=VALUE.',
  );
}

/** Whoever leaves later than the source is of has neither left nor stayed. */
function byDay(source: ColumnProfile, dialect: Dialect): Pick<Label, 'expression' | 'dated' | 'reason'> {
  const { left, notice } = leavingDay(source, dialect);
  return {
    expression: `CASE WHEN ${left} THEN true WHEN ${notice} THEN NULL ELSE false END`,
    dated: true,
    reason: 'given by --label: the day on which somebody left',
  };
}

/** SQL of whether a column has a value; of what is missing nobody knows, unless nobody could have stayed otherwise. */
function isValue(source: ColumnProfile, value: string, dialect: Dialect): string {
  const { name, type, kind, values } = source;
  const truth = truthOf(value);
  const truths = kind === 'boolean' ? asTruth(source) : undefined;
  // A file that says Yes and No is read as true and false.
  if (truths !== undefined && truth !== undefined) return truth ? truths : `NOT ${truths}`;
  const word = value.trim().toLowerCase();
  const number = word === '' ? Number.NaN : Number(value);
  const isNumber = isNumeric(type) || (kind === 'number' && !Number.isNaN(number));
  const isSame = isNumber ? (one: string) => Number(one) === number : (one: string) => one.toLowerCase() === word;
  if (values.length > 0 && !values.some((one) => isSame(one.value))) {
    throw unsuitable(`--label: no row of ${shown(name)} has the value after the equals sign.`);
  }
  const test = isNumber ? `${asNumber(source, dialect)} = ${number}` : `lower(${asText(source)}) = ${literal(word)}`;
  return values.length === 1 ? `coalesce(${test}, false)` : test;
}

/** SQL of who left, when there are those who left and those who stayed, and words for both. */
function outcome(source: ColumnProfile): string | undefined {
  const { values, kind } = source;
  const truths = values.map(({ value }) => truthOf(value));
  if (truths.includes(true) && truths.includes(false) && !truths.includes(undefined)) return asTruth(source);
  if (kind !== 'text' || values.length > MOST_WORDS) return undefined;
  const left = values.filter(({ value }) => saysLeft(value) || /^inactive$/i.test(value));
  const stayed = values.filter(({ value }) => saysStayed(value));
  if (left.length === 0 || stayed.length === 0 || left.length + stayed.length < values.length) return undefined;
  return byWord(source, new Map(values.map((one) => [one.value, left.includes(one)])));
}

const MOST_WORDS = 6;
const MOST_SHOWN = 4;

/** Columns that may say who left, and how a person says so; best first. */
export function possibleLabels(profiles: readonly ColumnProfile[]): string[] {
  const unclear = profiles.flatMap((source) => {
    const { words, values, name, filled, rows } = source;
    const isNamed = isLabelName(words) || (LEAVING.test(words) && values.length === 2);
    if (!isNamed || values.length === 0 || values.length > MOST_SHOWN) return [];
    if (outcome(source) !== undefined) {
      return isLabelName(words) ? [] : [`${shown(name)} might say it: --label ${forShell(name)}`];
    }
    const list = values.map(({ value }) => shown(value)).join(', ');
    const [first] = values;
    if (values.length > 1 || first === undefined) {
      return [
        `${shown(name)} might say it, of its values ${list} it is not known which: --label ${forShell(`${name}=${values.at(-1)?.value}`)}`,
      ];
    }
    return filled === rows
      ? []
      : [
          `${shown(name)} might say it, if those without its value ${list} stayed: --label ${forShell(`${name}=${first.value}`)}`,
        ];
  });
  const opposites = profiles.flatMap((source) => {
    const no = STAYED_NAME.test(source.words) && source.values.length === 2 ? noOf(source) : undefined;
    if (no === undefined) return [];
    return [
      `${shown(source.name)} might say it, if those with ${shown(no)} have left: --label ${forShell(`${source.name}=${no}`)}`,
    ];
  });
  const days = profiles.filter((source) => isLeavingDay(source) && source.filled < source.rows);
  const others = profiles.filter((source) => !days.includes(source) && isFilledAfterwards(source));
  return [
    ...unclear,
    ...opposites,
    ...[...days, ...others].map(
      ({ name, filled, rows }) =>
        `${shown(name)} is filled in ${filled} of ${rows} rows looked at, which may be those who left: --label ${forShell(name)}`,
    ),
  ].slice(0, MOST_SHOWN);
}

/** Names of the opposite of a label. `active` may as well be how lively a customer is, so a person has to say it. */
const STAYED_NAME =
  /^(?:(?:is|has|still|was|customer|client|user|account|subscription) )*(?:retained|stayed|renewed|kept|active|subscribed|current|aktiv|customer|member)(?: (?:flag|status|yn|bool|label))?$/;

/** The value that means no, of a flag. */
function noOf({ values }: ColumnProfile): string | undefined {
  const truths = values.map(({ value }) => truthOf(value));
  return truths.includes(true) ? values[truths.indexOf(false)]?.value : undefined;
}

const LEAVING =
  /churn|exit|attrit|cancel|terminat|leaving|left|lost|laps|clos(?:ed|ing|ure)|deactivat|defect|k(?:ü|ue)nd|abgewand|r(?:é|e)sili/;

/** Whether a column is filled for some only, and its name says that they are those who left. */
function isFilledAfterwards(source: ColumnProfile): boolean {
  const { words, filled, rows, distinct } = source;
  return LEAVING.test(words) && distinct > 2 && filled > 0 && filled < rows;
}

/** Names of what is known only once somebody leaves, or because they left. */
const AFTERWARDS =
  /(?:^| )(?:churn\w*|exit(?:ed)?|attrit\w*|cancel\w*|terminat\w*|leaving|left|retention|save desk|win ?back|closed|closing|deactivat\w*|last day|end date|reason)(?: |$)/;

/** Whether a column's name says that it is known too late to predict anything. */
export function isAfterwards({ words }: ColumnProfile): boolean {
  return AFTERWARDS.test(words);
}
