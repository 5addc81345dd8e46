import { PUBLISHING } from '../../contract/pipelines.ts';
import { type CandidateGroup, countCandidates } from '../../database/batches/batch-figures.ts';
import { countListUntil } from '../../database/candidates/whole-list.ts';
import type { Database } from '../../database/client/database.ts';
import { listPrograms, type ProgramRecord } from '../../database/runs/programs.ts';
import { listRuns, type RunRecord } from '../../database/runs/runs.ts';
import { namesOf, type Scope } from '../http/sessions.ts';
import { MOST_PROGRAMS } from '../v1/programs.ts';
import { keptCounts } from './kept-counts.ts';

/** What the first page shows. */
export interface Figures {
  readonly programs: readonly ProgramRecord[];
  /** The program that is shown; undefined when none has run. */
  readonly program: ProgramRecord | undefined;
  /** Candidates of its current batch, counted. */
  readonly groups: readonly CandidateGroup[];
  /** Whom to contact of it, by risk level. */
  readonly contacts: ReadonlyMap<string, number>;
  /** Newest first. */
  readonly runs: readonly RunRecord[];
}

const SHOWN_RUNS = 10;

/** Gathers the figures of a program. */
export type GatherFigures = (wanted: {
  readonly namespace: string;
  readonly program?: string | undefined;
  readonly scope: Scope;
}) => Promise<Figures>;

export function figuresFrom({
  database,
  now,
}: {
  readonly database: Database;
  readonly now: () => Date;
}): GatherFigures {
  const groupsOf = keptCounts(async (run) => ({ counts: await countCandidates(database, run), until: undefined }));
  const contactsOf = keptCounts((batch, at) => countListUntil(database, { batch, now: at }));

  return async ({ namespace, program: name, scope }) => {
    const programs = await listPrograms(database, { namespaces: namesOf(scope), limit: MOST_PROGRAMS });
    const program =
      name === undefined ? preferred(programs, namespace) : programs.find((one) => addressOf(one) === name);
    if (program === undefined) return { programs, program, groups: [], contacts: new Map(), runs: [] };
    const { current } = program;
    const [groups, contacts, runs] = await Promise.all([
      current === undefined ? [] : groupsOf(current, now()),
      current === undefined ? new Map<string, number>() : contactsOf(current, now()),
      // A prune that went well says nothing of the batch before it.
      listRuns(database, {
        namespace: program.namespace,
        owner: program.program,
        limit: SHOWN_RUNS,
        pipeline: PUBLISHING,
      }),
    ]);
    return { programs, program, groups, contacts, runs };
  };
}

/** How the page names a program in its address. */
export function addressOf({ namespace, program }: { readonly namespace: string; readonly program: string }): string {
  return `${namespace}/${program}`;
}

/** One that has something to show, of the namespace that was asked for. */
function preferred(programs: readonly ProgramRecord[], namespace: string): ProgramRecord | undefined {
  const rank = (one: ProgramRecord) => (one.namespace === namespace ? 2 : 0) + (one.current === undefined ? 0 : 1);
  return programs.toSorted((one, other) => rank(other) - rank(one))[0];
}
