import { createHmac } from 'node:crypto';

export type Arm = 'treatment' | 'holdout';

/** The key of a program's assignment, unless its owner gives a secret one. */
export function defaultHoldoutKey(namespace: string, programId: string): string {
  return `holdfast/${namespace}/${programId}`;
}

/**
 * Which arm of the experiment a customer is in. It depends on nothing but its arguments, so a customer stays
 * in an arm for a whole epoch whatever the run, and is dealt anew when the epoch changes.
 *
 * HMAC-SHA-256 of `<epoch>:<customerId>`; its first 8 bytes, read as a fraction of 2^64, are below the share
 * for those held out.
 * @param share fraction of customers who get nothing, 0 to 1
 */
export function holdoutArm(key: string, epoch: number, customerId: string, share: number): Arm {
  const digest = createHmac('sha256', key).update(`${epoch}:${customerId}`, 'utf8').digest();
  // A double times a power of two is exact, and so is comparing it with a bigint.
  return digest.readBigUInt64BE(0) < share * 2 ** 64 ? 'holdout' : 'treatment';
}
