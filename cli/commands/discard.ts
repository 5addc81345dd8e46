import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { printable } from '../../base/text/printable.ts';
import { type Discarded, discardBatch, undoDiscard } from '../../database/batches/discard.ts';
import type { RunKey } from '../../database/runs/runs.ts';
import type { Io } from '../io.ts';
import { forgetProgram } from '../local/current-data.ts';
import { dataFolder, lockDataFolder } from '../local/data-folder.ts';
import { runNamed } from '../local/named-run.ts';
import { openState, requireState } from '../local/state.ts';
import { linkCurrent } from './current.ts';

export interface DiscardOptions {
  readonly data: string;
  readonly output: 'text' | 'json';
  readonly namespace: string;
  readonly program?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly undo?: boolean;
  readonly keepLater?: boolean;
}

/**
 * Discards a batch that was never sent, so that what it decided is no offer; with `--undo` takes that back.
 * @throws HF_USAGE, HF_NOT_FOUND, HF_DATA_LOCKED, HF_DATABASE_UNREACHABLE, HF_DATABASE_FAILED
 */
export async function discard(run: string, options: DiscardOptions, io: Io): Promise<number> {
  const { reason, undo = false, keepLater = false, output } = options;
  if (reason === undefined || reason.trim() === '') {
    throw new HoldfastError('HF_USAGE', 'give --reason TEXT: it is kept with who did so, and when');
  }
  if (undo && keepLater) throw new HoldfastError('HF_USAGE', '--keep-later is for a discard, not for --undo');
  const folder = dataFolder(options.data);
  const isHere = requireState(folder, io);
  using _lock = isHere ? lockDataFolder(folder) : undefined;
  await using state = await openState(folder, io);
  const key = await runNamed(state, run, options);
  const said = { namespace: key.namespace, program: key.owner, run: key.run };
  const by = options.by ?? io.environment['USER'] ?? io.environment['LOGNAME'] ?? 'unknown';
  if (undo) {
    await undoDiscard(state.database, { ...key, by, reason });
    io.stdout.write(output === 'json' ? `${JSON.stringify({ ...said, discarded: false })}\n` : undoneText(key));
    return 0;
  }
  const done = await discardBatch(state.database, { ...key, by, reason, keepLater });
  const warnings = [];
  if (done.current !== undefined) {
    warnings.push(...(await linkCurrent(state.database, { ...key, run: done.current.run }, folder)));
  } else if (done.wasCurrent && isHere) await forgetProgram(folder.artifacts, key);
  for (const warning of warnings) io.stderr.write(`warning: ${printable(warning)}\n`);
  io.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ ...said, discarded: true, wasCurrent: done.wasCurrent, current: done.current?.run ?? null })}\n`
      : discardedText(key, done),
  );
  return 0;
}

function discardedText({ run, owner }: RunKey, { wasCurrent, current }: Discarded): string {
  const lines = [
    `discarded   ${run}: what it decided counts no more, for caps, the days between offers and who is held out`,
    ...(wasCurrent
      ? [
          current === undefined
            ? `current     none, until ${owner} runs again`
            : `current     ${current.run} again, as of ${rfc3339(current.slot)}: whoever was contacted from it is in it still`,
        ]
      : []),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function undoneText({ run }: RunKey): string {
  return `${printable(`counts again ${run}; the current batch is the one that it was`)}\n`;
}
