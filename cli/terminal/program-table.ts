import type { PipelineView, ProgramView } from '../cluster/program-view.ts';
import { age, inColumns } from './columns.ts';

const NONE = '<none>';

/** Programs in columns, a row for each pipeline that has run, is due or goes on. */
export function programTable(programs: readonly ProgramView[], isWide: boolean, now: Date): string {
  const rows = programs.flatMap((program) => program.pipelines.map((pipeline) => ({ program, pipeline })));
  return inColumns(
    ['PROGRAM', 'PIPELINE', 'LAST', 'SLOT', 'AGE', 'CANDIDATES', 'NEXT', 'NOW', ...(isWide ? ['RUN'] : []), 'REASON'],
    rows.map(({ program, pipeline }) => {
      const { lastRun, nextSlot, unfinished } = pipeline;
      const since = lastRun?.startedAt;
      const run = unfinished[0]?.run ?? lastRun?.run ?? NONE;
      return [
        program.program,
        pipeline.pipeline,
        lastRun?.phase ?? NONE,
        lastRun?.slot ?? NONE,
        since == null ? NONE : age(now.getTime() - Date.parse(since)),
        lastRun?.candidates == null ? NONE : String(lastRun.candidates),
        nextSlot ?? NONE,
        goingOn(pipeline),
        ...(isWide ? [run] : []),
        reasonOf(program, pipeline, isWide),
      ];
    }),
  );
}

/** The same as lines that change only when something happens, for a log. */
export function programLines(programs: readonly ProgramView[]): readonly string[] {
  return programs.flatMap((program) =>
    program.pipelines.map((pipeline) => {
      const { lastRun, nextSlot } = pipeline;
      const parts = [
        `${program.program} ${pipeline.pipeline}`,
        ...(lastRun === null ? [] : [`${lastRun.run} ${lastRun.phase}`]),
        ...(goingOn(pipeline) === '' ? [] : [`now ${goingOn(pipeline)}`]),
        ...(nextSlot === null ? [] : [`next ${nextSlot}`]),
        reasonOf(program, pipeline, true),
      ];
      return parts.filter((part) => part !== '').join('  ');
    }),
  );
}

/** What goes on: the phase and stage of the oldest run that is not over, and how many more there are. */
function goingOn({ unfinished }: PipelineView): string {
  const [first] = unfinished;
  if (first === undefined) return '';
  const stage = first.stages.find(({ phase }) => phase === 'Running')?.name;
  const more = unfinished.length - 1;
  return `${first.phase}${stage === undefined ? '' : ` ${stage}`}${more > 0 ? ` (+${more})` : ''}`;
}

/** What is in the way, the program before its runs; a sentence where there is room for it. */
function reasonOf(
  { ready, reason, message }: ProgramView,
  { unfinished, error, nextSlot, waitsFor }: PipelineView,
  isWide: boolean,
): string {
  const say = (word: string | null, sentence: string | null) =>
    isWide && sentence !== null && sentence !== '' ? `${word}: ${sentence}` : (word ?? '');
  if (ready === null) return say('NotSeen', 'the operator has not looked at it yet');
  if (!ready || reason !== 'Scheduled') return say(reason, message);
  const [first] = unfinished;
  if (first?.reason != null && first.reason !== 'Running') return say(first.reason, first.message);
  if (waitsFor !== null) return say('SlotWaiting', `the slot ${nextSlot} waits for the run ${waitsFor} to end`);
  return error === null ? '' : say(error.reason, error.message);
}
