import { createHash } from 'node:crypto';

/** Longest label value, and longest name of a Job whose pods are to be named after it. */
const LONGEST = 63;
const DIGEST = 10;

/**
 * A name that follows from its parts: a DNS label of at most 63 characters, and valid as the value of a label. What had to
 * be cut or replaced is made up for by a digest of the whole, so that different parts never have the same name.
 */
export function nameOf(parts: readonly string[], longest = LONGEST): string {
  const whole = parts.join('-');
  if (whole.length <= longest && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(whole)) return whole;
  const digest = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, DIGEST);
  const readable = whole
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, longest - DIGEST - 1)
    .replace(/-+$/, '');
  return `${readable || 'x'}-${digest}`;
}

/** An instant as part of a name, to the minute, as slots are: `20261123t0200z`. */
export function instantInName(instant: Date): string {
  return instant
    .toISOString()
    .replace(/:\d\d\.\d+/, '')
    .replaceAll(/[-:]/g, '')
    .toLowerCase();
}
