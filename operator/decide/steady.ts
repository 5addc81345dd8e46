/** As Kubernetes draws the ends of names: without vowels, so that hardly any word looks like one. */
const RANDOM_END = /-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])/g;
const UID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** A number with its unit, such as `1m30s`, `3500m`, `2Gi`. */
const AMOUNT = /(\d[\d.]*[A-Za-zµ]{0,2})+/g;

/** The names of pods without what is random in them: `weekly-filter-1-x7k2p` is told as `weekly-filter-1-`. */
export function withoutRandomEnds(message: string): string {
  return message.replaceAll(RANDOM_END, '-');
}

/** What stays of a message that is said again of the same trouble: without uids, random names, times and amounts. */
export function steadyPart(message: string): string {
  return withoutRandomEnds(message.replaceAll(UID, '')).replaceAll(AMOUNT, '#');
}
