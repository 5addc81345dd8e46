import type { RetentionProgramSpec } from './retention-program.ts';
import type { RetentionRunSpec } from './retention-run.ts';

/** What Kubernetes keeps about an object, as far as a manifest gives it. */
export interface ObjectMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A program that was validated, with its defaults filled in. */
export interface RetentionProgram {
  readonly apiVersion: 'holdfast.dev/v1alpha1';
  readonly kind: 'RetentionProgram';
  readonly metadata: ObjectMetadata;
  readonly spec: RetentionProgramSpec;
}

/** A run that was validated, with its defaults filled in. */
export interface RetentionRun {
  readonly apiVersion: 'holdfast.dev/v1alpha1';
  readonly kind: 'RetentionRun';
  readonly metadata: ObjectMetadata;
  readonly spec: RetentionRunSpec;
}
