import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { printable } from '../../base/text/printable.ts';
import {
  type BatchChoice,
  batchChoices,
  type CurrentChange,
  currentChanges,
  setCurrentBatch,
} from '../../database/batches/current-batch.ts';
import { type DiscardRecord, discards } from '../../database/batches/discard.ts';
import { findRun, type OwnerKey } from '../../database/runs/runs.ts';
import { calledAs } from '../called-as.ts';
import type { Io } from '../io.ts';
import { pointAtCurrent } from '../local/current-data.ts';
import { type DataFolder, dataFolder, isDataFolder, lockDataFolder } from '../local/data-folder.ts';
import { requireProgram } from '../local/known-program.ts';
import { openArtifacts } from '../local/past-run.ts';
import { openRecord, openState, requireState, type State } from '../local/state.ts';
import { integer } from '../terminal/figures.ts';

export interface CurrentOptions {
  readonly data: string;
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly set?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly withdraw?: boolean;
}

const MOST_SHOWN = 10;

/**
 * Says which batch of a program is the current one, which others are there and who set it by hand; with `--set` makes
 * another the current one.
 * @throws HF_USAGE, HF_NOT_FOUND, HF_DATA_LOCKED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function current(program: string, options: CurrentOptions, io: Io): Promise<number> {
  const { set, reason, namespace } = options;
  const key = { namespace, owner: program };
  if (set === undefined && (reason !== undefined || options.by !== undefined || options.withdraw === true)) {
    throw new HoldfastError('HF_USAGE', '--reason, --by and --withdraw go with --set RUN');
  }
  const folder = dataFolder(options.data);
  const isHere = requireState(folder, io);
  using _lock = set !== undefined && isHere ? lockDataFolder(folder) : undefined;
  await using state = set === undefined ? await openRecord(folder, io) : await openState(folder, io);
  if (state === undefined) {
    throw new HoldfastError('HF_NOT_FOUND', `${program} has not run in the namespace ${namespace} of this database`);
  }
  await requireProgram(state.database, key, state.place);
  const warnings = set === undefined ? [] : await setTo(state, { ...key, run: set }, options, folder, io);
  const batches = await batchChoices(state.database, key, MOST_SHOWN);
  const changes = await currentChanges(state.database, key, MOST_SHOWN);
  const discarded = await discards(state.database, key, MOST_SHOWN);
  for (const warning of warnings) io.stderr.write(`warning: ${printable(warning)}\n`);
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ namespace, program, current: batches.find(({ isCurrent }) => isCurrent)?.run ?? null, batches, changes, discards: discarded })}\n`
      : currentText(program, batches, changes, discarded, calledAs(io)),
  );
  return 0;
}

/** Resolves to what a person should know. */
async function setTo(
  { database }: State,
  key: OwnerKey & { readonly run: string },
  { reason, by, withdraw = false }: CurrentOptions,
  folder: DataFolder,
  { environment }: Io,
): Promise<string[]> {
  if (reason === undefined || reason.trim() === '') {
    throw new HoldfastError('HF_USAGE', '--set needs --reason TEXT: it is kept with who did so, and when');
  }
  const who = by ?? environment['USER'] ?? environment['LOGNAME'] ?? 'unknown';
  const before = await setCurrentBatch(database, { ...key, by: who, reason, withdraw });
  const linked = await linkCurrent(database, key, folder);
  if (before === undefined || withdraw) return linked;
  const still = `What ${before} decided still counts for caps and the days between offers; if nobody was contacted from it, set it with --withdraw.`;
  return [...linked, still];
}

/** Points the program's stable path at the files of the batch, where they are on this machine. */
export async function linkCurrent(
  database: State['database'],
  key: OwnerKey & { readonly run: string },
  folder: DataFolder,
): Promise<string[]> {
  const record = await findRun(database, key);
  if (record === undefined || record.runUid !== undefined || !isDataFolder(folder)) return [];
  try {
    const { store, offer } = await openArtifacts(folder.artifacts, record);
    const decided = store ?? offer;
    if (decided !== undefined) await pointAtCurrent(folder.artifacts, decided);
    return [];
  } catch (error) {
    // Postgres is what counts; the files may lie elsewhere.
    const why = error instanceof HoldfastError ? error.message : String(error);
    return [`No path leads to the files of ${key.run}: ${why}`];
  }
}

function currentText(
  program: string,
  batches: readonly BatchChoice[],
  changes: readonly CurrentChange[],
  discarded: readonly DiscardRecord[],
  command: string,
): string {
  const lines = batches.map(({ run, slot, candidates, isCurrent }) => {
    const mark = isCurrent ? 'current' : '';
    return `  ${mark.padEnd(9)} ${run}  as of ${rfc3339(slot)}  ${integer(candidates)} candidates`;
  });
  if (!batches.some(({ isCurrent }) => isCurrent)) {
    const none = batches.length + discarded.length === 0 ? 'no batch has been published yet' : 'no batch is current';
    const one = batches.length === 0 ? `${command} run FILE` : `${command} current ${program} --set RUN --reason TEXT`;
    lines.unshift(`  ${none}: \`${one}\` makes one current`);
  }
  const history = [
    ...changes.map(({ at, from, to, by, reason, withdrawn }) => ({
      at,
      line: `  set by hand ${rfc3339(at)} by ${by}: ${from ?? 'none'} → ${to}${withdrawn ? ' (withdrawn)' : ''}: ${reason}`,
    })),
    ...discarded.map(({ at, run, undone, current, by, reason }) => {
      const what = undone ? 'counts again' : 'discarded';
      const then = current === undefined ? '' : ` (then ${current} was current)`;
      return { at, line: `  ${what} ${rfc3339(at)} by ${by}: ${run}${then}: ${reason}` };
    }),
  ].sort((a, b) => b.at.getTime() - a.at.getTime());
  return `${[program, ...lines, ...history.map(({ line }) => line)].map(printable).join('\n')}\n`;
}
