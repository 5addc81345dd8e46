import { unsuitable } from '../../customers/training/unsuitable.ts';
import type { Convention, Conventions, Written } from './conventions.ts';
import { type NumberFormat, PLAIN, signsOf } from './number-format.ts';
import { COMMAED, type CountRows, POINTED, type Shape, type TextCounts } from './text-counts.ts';
import { shown } from './words.ts';

/** Share of the values that must be numbers for the column to be taken as such. */
const MOST = 0.95;
/** Times that values must show one decimal mark rather than the other. */
const CLEARLY = 10;

type Mark = NumberFormat['decimal'];

/** A column of numbers, and how many of its values are numbers with one of the marks only. */
interface Candidate {
  readonly counts: TextCounts;
  readonly point: number;
  readonly comma: number;
  /** Values such as 178.100 or 178,100, which are a thousandfold the one way. */
  readonly either: number;
}

/**
 * Decides for each column of text that holds numbers what its points and commas mean: by its own values, else by those
 * of the file's other columns, else by what a person says.
 * @throws HF_SOURCE_UNSUITABLE when what a person says is not so
 */
export async function decideNumbers(
  columns: readonly TextCounts[],
  all: CountRows,
  { decimal }: Conventions,
): Promise<Map<string, Written<NumberFormat>>> {
  const candidates: Candidate[] = columns
    .filter((counts) => counts.filled > 0 && isMost(counts, 'point', 'comma'))
    .map((counts) => ({
      counts,
      point: counts.count('pointOnly'),
      comma: counts.count('commaOnly'),
      either: counts.count('either'),
    }));
  const sure = await seenInAll(candidates, all);
  refuseContradiction(sure, decimal);
  const elsewhere = markOf(sure.map(markOfColumn));
  return new Map(
    sure.map((candidate) => {
      const { counts } = candidate;
      const { mark, convention: ofMark } = decided(candidate, elsewhere, decimal);
      const format = formatOf(counts, mark);
      const percent = format.unit === PERCENT;
      const convention = withUnit(ofMark, counts);
      return [
        counts.name,
        {
          format,
          misfits: counts.filled - counts.count(percent ? 'percent' : shapeOf(format)),
          percent,
          ...(convention === undefined ? {} : { convention }),
        },
      ];
    }),
  );
}

/** What the query takes for a number of a format: fewer than what is one at all, such as `.50` and `1e5` beside `$1`. */
function shapeOf({ decimal, style }: NumberFormat): Shape {
  if (style === 'plain') return 'plain';
  if (decimal === 'comma') return style === 'grouped' ? 'groupedComma' : 'comma';
  return style === 'grouped' ? 'groupedPoint' : 'dressedPoint';
}

function isMost(counts: TextCounts, ...marks: readonly Mark[]): boolean {
  return marks.some((mark) => counts.count(mark) >= MOST * counts.filled);
}

/** Where the sample leaves it open, all rows are asked. */
async function seenInAll(candidates: readonly Candidate[], all: CountRows): Promise<Candidate[]> {
  const open = candidates.filter(({ point, comma, either }) => either > 0 && point === 0 && comma === 0);
  if (open.length === 0) return [...candidates];
  const found = await all(
    open.flatMap(({ counts: { name: column } }) =>
      [
        [POINTED, COMMAED],
        [COMMAED, POINTED],
      ].map(([yes = '', no = '']) => ({
        column,
        figure: (text: string, matches: (text: string, pattern: string) => string) =>
          `count(*) FILTER (WHERE ${matches(text, yes)} AND NOT ${matches(text, no)})`,
      })),
    ),
  );
  const seen = new Map(open.map(({ counts }, index) => [counts.name, found.slice(2 * index, 2 * index + 2)]));
  return candidates.map((candidate) => {
    const [point = candidate.point, comma = candidate.comma] = seen.get(candidate.counts.name) ?? [];
    return { ...candidate, point, comma };
  });
}

/** What the values of the column itself say. */
function markOfColumn({ counts, point, comma }: Candidate): Mark | undefined {
  if (!isMost(counts, 'comma')) return 'point';
  if (!isMost(counts, 'point')) return 'comma';
  if (point > CLEARLY * comma) return 'point';
  return comma > CLEARLY * point ? 'comma' : undefined;
}

/** The mark of all that say one; undefined where none does, or they differ. */
function markOf(marks: readonly (Mark | undefined)[]): Mark | undefined {
  const said = new Set(marks.filter((mark) => mark !== undefined));
  return said.size === 1 ? [...said][0] : undefined;
}

function refuseContradiction(candidates: readonly Candidate[], decimal: Mark | undefined): void {
  if (decimal === undefined) return;
  const marks = candidates.map((candidate) => ({ candidate, mark: markOfColumn(candidate) }));
  const against = marks.find(({ mark }) => mark !== undefined && mark !== decimal)?.candidate;
  if (against === undefined || marks.some(({ mark }) => mark === decimal)) return;
  throw unsuitable(
    `--decimal ${decimal}: ${Math.max(against.point, against.comma)} values of ${shown(against.counts.name)} are no numbers so.`,
  );
}

interface Decided {
  readonly mark: Mark;
  readonly convention?: Convention;
}

function decided(candidate: Candidate, elsewhere: Mark | undefined, given: Mark | undefined): Decided {
  const { counts, point, comma, either } = candidate;
  const own = markOfColumn(candidate);
  const note = (mark: Mark) => `its ${mark} is the decimal one`;
  if (own === 'comma' || (own === 'point' && either > 0)) {
    const values = own === 'comma' ? comma : point;
    return { mark: own, convention: { note: `${note(own)}, as ${values} values show`, sureness: 1 } };
  }
  if (own !== undefined) return { mark: own };
  // Whole numbers below a thousand: the same with either.
  if (either === 0 && point === 0 && comma === 0) return { mark: given ?? elsewhere ?? 'point' };
  const thousands = counts.count('eitherPoint') > 0 ? '178.100' : '178,100';
  if (elsewhere !== undefined) {
    return {
      mark: elsewhere,
      convention: {
        note: `a value such as ${thousands} is read as ${meaning(thousands, elsewhere)}, since the ${elsewhere} is the decimal one in other columns`,
        sureness: 0.9,
      },
    };
  }
  if (given !== undefined)
    return {
      mark: given,
      convention: { note: `read as ${meaning(thousands, given)}, by --decimal ${given}`, sureness: 1 },
    };
  if (thousands === '178,100' && point === 0 && comma === 0) {
    return {
      mark: 'point',
      convention: { note: 'its commas are taken for those of thousands; --decimal comma if not', sureness: 0.8 },
    };
  }
  const question =
    `It cannot be told what the ${thousands === '178.100' ? 'points' : 'commas'} in ${shown(counts.name)} mean: every value is like ${thousands}, ` +
    'and no other column says it. Say --decimal comma where that is 178 thousand, --decimal point where it is 178 and a tenth.';
  return { mark: 'point', convention: { note: 'assumed', sureness: 0.5, question } };
}

/** What 178.100 is with a decimal mark. */
function meaning(text: string, mark: Mark): string {
  const isDecimal = text.includes('.') === (mark === 'point');
  return isDecimal ? '178.1' : '178 thousand';
}

const PERCENT = '%';

/** What is said of a column's currency, and asked where it has several. */
function withUnit(convention: Convention | undefined, { name, filled, units }: TextCounts): Convention | undefined {
  const groups = Map.groupBy(units, ([unit]) => signsOf(unit).join());
  const rowsOf = (group: readonly (readonly [string, number])[]) => group.reduce((sum, [, rows]) => sum + rows, 0);
  const signed = [...groups.values()].map((group) => ({
    signs: group.map(([unit]) => unit).join(' or '),
    rows: rowsOf(group),
  }));
  const [first] = signed.sort((a, b) => b.rows - a.rows);
  if (first === undefined) return convention;
  const open = (question: string, reason: string): Convention => ({
    note: reason,
    sureness: 0.5,
    question,
    open: reason,
  });
  if (signed.length > 1) {
    const [, ...others] = signed;
    const list = [`${first.signs} in ${first.rows} rows`, ...others.map(({ signs, rows }) => `${signs} in ${rows}`)];
    return open(
      `${shown(name)} has amounts in several currencies (${list.join(', ')} of those looked at): write all of them in one, or leave the column out of the file.`,
      'amounts in several currencies',
    );
  }
  if (first.signs === PERCENT) {
    if (first.rows >= MOST * filled) return convention;
    return open(
      `${shown(name)} has a percent sign in ${first.rows} of ${filled} values looked at, and it cannot be told whether the others are hundredths: ` +
        'write all of them with it, or none.',
      'a percent sign in some rows only',
    );
  }
  const note = `in ${first.signs}, as ${first.rows === filled ? '' : `${first.rows} of `}${filled} values say`;
  return { sureness: 1, ...convention, note: convention === undefined ? note : `${convention.note}; ${note}` };
}

/** The plainest format that reads what is a number at all. */
function formatOf(counts: TextCounts, decimal: Mark): NumberFormat {
  const all = counts.count(decimal);
  if (decimal === 'point' && counts.count('plain') >= all) return PLAIN;
  const grouped = decimal === 'point' ? counts.count('groupedPoint') : counts.count('groupedComma');
  if (grouped >= all) return { decimal, style: 'grouped' };
  const [unit] = [...counts.units].sort(([, a], [, b]) => b - a)[0] ?? [];
  const isPinned = unit !== PERCENT || counts.count('percent') >= MOST * counts.filled;
  return { decimal, style: 'dressed', ...(unit !== undefined && isPinned ? { unit } : {}) };
}
