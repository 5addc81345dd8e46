import { fieldName, tooLarge } from '../../crds/index.ts';
import type { ProgramObject } from '../kube/objects.ts';

/**
 * The program with a spec that is not too large to be looked at: of one that is, only its id and whether it is enabled, so
 * that one program does not take the memory of all others.
 * @param before the same program as it was known before: while its generation is the same, so is its spec
 */
export function boundProgram(program: ProgramObject, before?: ProgramObject): ProgramObject {
  const { apiVersion, kind, metadata, status } = program;
  const rest = { apiVersion, kind, metadata, ...(status === undefined ? {} : { status }) };
  const isKnown =
    before !== undefined &&
    before.metadata.uid === metadata.uid &&
    metadata.generation !== undefined &&
    before.metadata.generation === metadata.generation;
  if (isKnown) {
    const { spec, unread } = before;
    return { ...rest, spec, ...(unread === undefined ? {} : { unread }) };
  }
  const excess = tooLarge(program.spec);
  if (excess === undefined) return { ...rest, spec: program.spec };
  const { programId, enabled } = program.spec;
  return {
    ...rest,
    spec: { programId, enabled } as ProgramObject['spec'],
    unread: `${fieldName(excess.path)} ${excess.reason}`,
  };
}
