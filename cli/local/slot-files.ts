import { existsSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { rfc3339 } from '../../base/instant.ts';
import { openZone } from '../../base/schedules/zone.ts';

const PLACEHOLDER = /\{date\}/;

/**
 * The `--source` of a slot: `{date}` in it is the day of the slot by the clocks of the schedule's zone, so that each slot
 * reads the export of its own day.
 */
export function sourcesOfSlot(given: readonly string[], slot: Date, timeZone: string): string[] {
  const day = new Date(openZone(timeZone).wallTime(slot.getTime())).toISOString().slice(0, 10);
  return given.map((one) => one.replaceAll(new RegExp(PLACEHOLDER, 'g'), day));
}

/** Connectors that read a file of the slot's own. */
export function connectorsByDate(given: readonly string[]): string[] {
  return given.filter((one) => PLACEHOLDER.test(one)).map((one) => one.slice(0, one.indexOf('=')));
}

/**
 * Makes sure, before anything is run, that each slot has a file of its own.
 * @throws HF_USAGE
 */
export function requireSlotFiles(given: readonly string[], slots: readonly Date[], timeZone: string): void {
  const taken = new Map<string, Date>();
  const byDate = given.filter((one) => PLACEHOLDER.test(one));
  for (const slot of slots) {
    for (const one of sourcesOfSlot(byDate, slot, timeZone)) {
      const file = one.slice(one.indexOf('=') + 1);
      const other = taken.get(one);
      if (other !== undefined) {
        throw new HoldfastError(
          'HF_USAGE',
          `${rfc3339(other)} and ${rfc3339(slot)} are of one day: both would read ${file}`,
        );
      }
      if (!existsSync(file)) throw new HoldfastError('HF_USAGE', `there is no ${file} for the slot ${rfc3339(slot)}`);
      taken.set(one, slot);
    }
  }
}
