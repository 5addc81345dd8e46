import { nameOf } from '../../contract/name.ts';
import type { OwnerKind } from '../../contract/owner.ts';
import type { Owner } from './owner.ts';

/** What everything that the operator makes can be found by. */
const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'holdfast' } as const;
export const MANAGED_SELECTOR = 'app.kubernetes.io/managed-by=holdfast';

/** Annotations that hold in full what a label may have to cut. */
export const ANNOTATIONS = {
  /** Name of the run that a Job, or its pod, belongs to. */
  run: 'holdfast.dev/run',
  /** Name of the revision that a Job is pinned to. */
  revision: 'holdfast.dev/revision',
  /** Its identity, of which the name holds the beginning. */
  revisionIdentity: 'holdfast.dev/revision-digest',
  /** On a Job that we suspended, and so may let go on. */
  suspended: 'holdfast.dev/suspended',
  /** On a Job whose task is done, and that another container of its pod keeps from ending. */
  done: 'holdfast.dev/done',
} as const;

/** The label that holds an owner's name. */
const OWNER_LABELS: Readonly<Record<OwnerKind, string>> = {
  program: 'holdfast.dev/program',
  series: 'holdfast.dev/series',
};

/** What the objects of an owner's runs can be found by. */
export function ownerLabels({ kind, name }: Owner): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'holdfast',
    ...MANAGED_BY,
    'app.kubernetes.io/part-of': nameOf([name]),
    [OWNER_LABELS[kind]]: nameOf([name]),
  };
}
