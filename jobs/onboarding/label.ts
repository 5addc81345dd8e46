import { identifier, literal } from '../columns/engine.ts';
import { asTruth, trimmed } from './expressions.ts';
import { columnNamed } from './identity.ts';
import type { ColumnProfile } from './profile.ts';
import { unsuitable } from './unsuitable.ts';
import { shown, truthOf } from './words.ts';

/** The column that says who left. */
export interface Label {
  readonly source: ColumnProfile;
  /** SQL: true of those who left, false of those who stayed, NULL where it is not known. */
  readonly expression: string;
  readonly confidence: number;
  readonly reason: string;
}

const NAMES: readonly (readonly [pattern: RegExp, confidence: number])[] = [
  [/^(?:is |has |customer )?(?:churn|churned|attrited|exited|attrition|cancel+ed|churner)$/, 0.95],
  [/^(?:churn|attrition|exit|cancel+ation)(?:ed)? ?(?:label|flag|value|status|yn|bool|binary|risk flag)$/, 0.9],
  [/^(?:customer ?)?(?:has ?)?left$|^(?:is )?(?:lost|inactive next month)$/, 0.8],
  [/^(?:customer ?status|subscription ?status)$/, 0.6],
  [/^(?:k(?:ü|ue)ndigung|gek(?:ü|ue)ndigt|abgewandert)$/, 0.8],
  [/^(?:target|label|y|outcome)$/, 0.5],
];

const LEFT =
  /^(?:churn(?:ed|er)?|left|exited|attrited(?: customer)?|cancel+ed|lost|gone|inactive|terminated|leaver)\.?$/i;
const STAYED =
  /^(?:stay(?:ed|er)?|retained|existing(?: customer)?|active|current|joined|kept|no churn|not churned|loyal)\.?$/i;

/**
 * Finds the column that says who left: by its name, when its values can be told apart.
 * @param wanted its name, or its name and the value of those who left, such as `status=gone`
 * @throws HF_SOURCE_UNSUITABLE when a person named one that cannot serve
 */
export function findLabel(profiles: readonly ColumnProfile[], wanted: string | undefined): Label | undefined {
  if (wanted !== undefined) return given(profiles, wanted);
  const [best] = profiles
    .flatMap((source) => {
      const confidence = NAMES.find(([pattern]) => pattern.test(source.words))?.[1];
      const expression = confidence === undefined ? undefined : outcome(source);
      if (confidence === undefined || expression === undefined) return [];
      return [{ source, expression, confidence, reason: 'named like what says who left' }];
    })
    .sort((a, b) => b.confidence - a.confidence);
  return best;
}

function given(profiles: readonly ColumnProfile[], wanted: string): Label {
  const [, name = wanted, value] = /^(.+?)=(.*)$/.exec(wanted) ?? [];
  const isName = profiles.some((profile) => profile.name === wanted);
  const source = columnNamed(profiles, isName ? wanted : name, '--label');
  const chosen = { source, confidence: 1, reason: 'given by --label' };
  if (value !== undefined && !isName) {
    const truth = truthOf(value);
    // A file that says Yes and No is read as true and false.
    if (source.type === 'BOOLEAN' && truth !== undefined) {
      return { ...chosen, expression: truth ? identifier(source.name) : `NOT ${identifier(source.name)}` };
    }
    if (!source.values.some((one) => one.value === value)) {
      throw unsuitable(`--label: no row of ${shown(source.name)} has the value after the equals sign.`);
    }
    return { ...chosen, expression: `${trimmed(source)} = ${literal(value)}` };
  }
  const expression = outcome(source);
  if (expression !== undefined) return { ...chosen, expression };
  throw unsuitable(
    `--label ${shown(source.name)}: cannot tell which of its ${source.distinct} values is that of those who left; ` +
      'give it as --label COLUMN=VALUE.',
  );
}

/** SQL of who left, when there are those who left and those who stayed, and words for both. */
function outcome(source: ColumnProfile): string | undefined {
  const { values, kind, type } = source;
  if (values.length < 2 || values.length > 4)
    return type === 'BOOLEAN' && values.length === 2 ? asTruth(source) : undefined;
  if (values.length === 2 && values.every(({ value }) => truthOf(value) !== undefined)) return asTruth(source);
  if (kind !== 'text') return undefined;
  const left = values.filter(({ value }) => LEFT.test(value));
  const stayed = values.filter(({ value }) => STAYED.test(value));
  if (left.length === 0 || stayed.length === 0 || left.length + stayed.length < values.length) return undefined;
  const whens = (some: typeof values, truth: boolean) =>
    some.map(({ value }) => `WHEN ${literal(value)} THEN ${truth}`).join(' ');
  return `CASE ${trimmed(source)} ${whens(left, true)} ${whens(stayed, false)} END`;
}

/** Names of what is known only once somebody leaves, or because they left. */
const AFTERWARDS =
  /(?:^| )(?:churn\w*|exit(?:ed)?|attrit\w*|cancel\w*|terminat\w*|leaving|left|retention|save desk|win ?back|closed|closing|deactivat\w*|last day|end date|reason)(?: |$)/;

/** Whether a column's name says that it is known too late to predict anything. */
export function isAfterwards({ words }: ColumnProfile): boolean {
  return AFTERWARDS.test(words);
}
