import { ERROR_CODES, type ErrorCode } from '../../base/errors.ts';
import type { RunView, StageView } from '../cluster/run-view.ts';
import { age } from './columns.ts';
import { integer } from './figures.ts';

const NAME = 9;
const PHASE = 9;
const ROWS = 20;

/** A run and its stages, a line each. @param now for how long what is under way has taken; without it that is left out */
export function runLines(view: RunView, now?: Date): readonly string[] {
  const { run, phase, slot, startedAt, finishedAt, reason, message } = view;
  const head = [run, phase, ...(slot === null ? [] : [`slot ${slot}`]), took(startedAt, finishedAt, now)];
  const why = message === null || phase === 'Running' ? [] : [`  ${reason}: ${message}`];
  return [head.filter((part) => part !== '').join('  '), ...view.stages.map((stage) => stageLine(stage, now)), ...why];
}

function stageLine(stage: StageView, now: Date | undefined): string {
  const { name, phase, task, attempt, startedAt, finishedAt, rowsIn, rowsOut, error, message } = stage;
  const isRunning = phase === 'Running';
  const rows = rowsIn === null && rowsOut === null ? '' : `${integer(rowsIn ?? 0)} → ${integer(rowsOut ?? 0)}`;
  const notes = [
    ...(isRunning && task !== null && task !== name ? [task] : []),
    ...(attempt !== null && attempt > 1 ? [`try ${attempt}`] : []),
    ...(error === null ? [] : [`${error.code}: ${error.message}`]),
    ...(message === null ? [] : [message]),
  ];
  const columns = [
    name.padEnd(NAME),
    phase.padEnd(PHASE),
    rows.padEnd(ROWS),
    took(startedAt, finishedAt, now).padStart(5),
  ];
  return `  ${[...columns, notes.join('; ')].join('  ')}`.trimEnd();
}

function took(startedAt: string | null, finishedAt: string | null, now: Date | undefined): string {
  const end = finishedAt === null ? now?.getTime() : Date.parse(finishedAt);
  if (startedAt === null || end === undefined) return '';
  return age(end - Date.parse(startedAt));
}

/** What a person does about a run that did not succeed, as the table of errors has it. */
export function remedyOf({ stages }: RunView): string | undefined {
  const code = stages.find(({ error }) => error !== null)?.error?.code;
  return code !== undefined && Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].remedy : undefined;
}
