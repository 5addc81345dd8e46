import type { Counts } from '../../contract/counts.ts';
import type { RunTrigger } from '../../contract/trigger.ts';
import type { Warning } from '../../contract/warning.ts';
import type { Database } from '../../database/client/database.ts';
import type { SourceTypes } from '../../database/runs/runs.ts';
import type { ArtifactReference } from '../../providers/artifacts/artifact.ts';
import type { ArtifactStore } from '../../providers/artifacts/store.ts';
import type { Providers } from '../../providers/registry.ts';
import type { ConnectorSettings } from '../../providers/warehouses/connector.ts';

/** Which run this is. Every name and key that a stage writes under derives from it. */
export interface RunIdentity {
  readonly namespace: string;
  /** Name of whose run it is, such as a program: see contract/owner.ts. */
  readonly owner: string;
  /** Name of the run, such as `churn-prevention-20261123t020000z-1`. */
  readonly run: string;
  /** Allocated in Postgres, growing with every run of the owner. */
  readonly sequence: number;
  readonly attempt: number;
  /** The instant that the batch is as of. */
  readonly slot: Date;
  /** A backfill never moves the current pointer. */
  readonly trigger: RunTrigger;
}

/** What the stages of a run share on the machine that they run on. Clock, network and storage come in here. */
export interface RunContext<Spec = unknown> {
  readonly identity: RunIdentity;
  /** What the run is pinned to: the spec of its owner. */
  readonly spec: Spec;
  /** Folder that relative paths in the manifest start from. */
  readonly baseFolder: string;
  /** Whether no path in the manifest may lead out of it: see program-file.ts. */
  readonly confined: boolean;
  readonly artifacts: ArtifactStore;
  /** Absent in a dry run over a data folder that does not exist yet: then there is no history. */
  readonly database: Database | undefined;
  readonly connectors: ConnectorSettings;
  /** What there is of providers. Default: what this version has. */
  readonly providers?: Providers | undefined;
  /** Folder for what need not outlive the run, or the task of it that is done here. */
  readonly scratchFolder: string;
  /** Threads and memory (MiB) that a stage may use. */
  readonly resources: { readonly threads: number; readonly memoryMb: number };
  readonly now: () => Date;
  /** Nothing may be written outside the artifact store and the scratch folder. */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** Everything a stage may touch, so that a test can give its own. */
export interface StageContext<Spec = unknown> extends RunContext<Spec> {
  /** Artifacts of exactly the earlier stages that the table of pipelines says it reads, by stage name. */
  readonly inputs: Readonly<Record<string, ArtifactReference>>;
  /** Reports work done so far, in rows; total is given once known. */
  readonly progress: (done: number, total?: number) => void;
}

export interface StageResult {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly counts: Counts;
  readonly artifact?: ArtifactReference;
  /** None of them stops the run. */
  readonly warnings?: readonly Warning[];
  /** What the columns of the sources are, by which the next run sees that they changed. */
  readonly sources?: SourceTypes;
}

/** One stage of a pipeline: reads the artifacts before it, commits its own, may be repeated at any time. */
export type Stage<Spec> = (context: StageContext<Spec>) => Promise<StageResult>;

/** One of the parts that a stage's work is dealt into, by a hash of the customer's id: the `index`-th, from 0, of `count`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** A stage whose work can be divided among processes; together they make what the stage alone makes, to the byte. */
export interface ShardedStage<Spec> {
  /** Does the work for the customers of one shard and commits it as an artifact of its own. */
  readonly shard: (context: StageContext<Spec>, shard: Shard) => Promise<ArtifactReference>;
  /** Makes the stage's artifact from those of all shards, in their order. */
  readonly gather: (context: StageContext<Spec>, shards: readonly ArtifactReference[]) => Promise<StageResult>;
}
