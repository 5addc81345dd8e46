import { HoldfastError } from '../errors.ts';
import { type Engine, INTERRUPT_AGAIN_MS } from './engine.ts';

/**
 * Runs one statement of an engine so that an abort stops it.
 * @throws HF_INTERRUPTED when the signal is aborted, before or during the work
 */
export async function interruptible<Result>(
  engine: Pick<Engine, 'interrupt'>,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const interrupted = (cause?: unknown) =>
    signal.reason instanceof HoldfastError
      ? signal.reason
      : new HoldfastError('HF_INTERRUPTED', 'The run was interrupted; run it again.', { cause });
  if (signal.aborted) throw interrupted();
  let again: NodeJS.Timeout | undefined;
  const interrupt = () => {
    engine.interrupt();
    again = setInterval(() => engine.interrupt(), INTERRUPT_AGAIN_MS);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const result = await work();
    if (signal.aborted) throw interrupted();
    return result;
  } catch (error) {
    throw signal.aborted && !(error instanceof HoldfastError) ? interrupted(error) : error;
  } finally {
    clearInterval(again);
    signal.removeEventListener('abort', interrupt);
  }
}
