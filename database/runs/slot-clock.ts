import type { ClientBase } from 'pg';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { CLOCK_SKEW_MS } from '../../contract/clock-skew.ts';

/**
 * Refuses a slot that the database's clock has not come to: its batch would be the current one until that day, whatever is
 * run meanwhile.
 * @throws HF_SLOT_IN_FUTURE
 */
export async function requireSlotHasCome(client: ClientBase, slot: Date): Promise<void> {
  const { rows } = await client.query<{ now: Date; ahead: boolean }>(
    'SELECT now() AS now, $1::timestamptz > now() + make_interval(secs => $2) AS ahead',
    [slot, CLOCK_SKEW_MS / 1000],
  );
  const [clock] = rows;
  if (clock?.ahead !== true) return;
  throw new HoldfastError(
    'HF_SLOT_IN_FUTURE',
    `the slot ${rfc3339(slot)} is yet to come: by the clock of the database it is ${rfc3339(clock.now)}; check the clock of this machine, --now, or the slot of the run`,
  );
}
