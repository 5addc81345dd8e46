/** An instant as RFC 3339, to the second where it is a whole one: `2026-11-23T02:00:00Z`. */
export function rfc3339(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z');
}

/** Years whose instants a run can be of: calendars are not the same before, and later ones end where no text holds them. */
export const EARLIEST_YEAR = 1971;
export const LATEST_YEAR = 2999;

/** Whether it is an instant of these years, by UTC. */
export function isInKnownYears(instant: Date): boolean {
  const year = instant.getUTCFullYear();
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR;
}

/** An instant to the second that it is in, as Kubernetes keeps its times. */
export function rfc3339Second(instant: Date): string {
  return instant.toISOString().replace(/\.\d+Z$/, 'Z');
}
