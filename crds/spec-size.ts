import type { Finding } from './fault.ts';

/** Largest spec, in bytes of JSON: room for any program, and too little to hold up those of others. */
export const LARGEST_SPEC_BYTES = 256 * 1024;

/** Says that a spec is too large to be looked at any further, if it is. */
export function tooLarge(spec: unknown): Finding | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(spec ?? null));
  if (bytes <= LARGEST_SPEC_BYTES) return undefined;
  return { path: ['spec'], reason: `has ${bytes} bytes; at most ${LARGEST_SPEC_BYTES} are allowed`, class: 'runtime' };
}
