/** An instant as RFC 3339, to the second where it is a whole one: `2026-11-23T02:00:00Z`. */
export function rfc3339(instant: Date): string {
  return instant.toISOString().replace('.000Z', 'Z');
}

/** An instant to the second that it is in, as Kubernetes keeps its times. */
export function rfc3339Second(instant: Date): string {
  return instant.toISOString().replace(/\.\d+Z$/, 'Z');
}
