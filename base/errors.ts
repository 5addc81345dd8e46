/** How the caller should treat a failure: try again, give up, or wait until what it needs exists. */
export type FailureKind = 'retry' | 'terminal' | 'not-yet';

interface CodeEntry {
  readonly kind: FailureKind;
  /** What it means, in one sentence; `docs/errors.md` is generated from these. */
  readonly meaning: string;
  /** What a person does about it. */
  readonly remedy: string;
}

/**
 * Every error code of Holdfast. A code is a promise: it never changes its meaning and is never reused.
 * Terminal codes make a command or a stage end with exit status 78, all others with 1.
 */
export const ERROR_CODES = {
  HF_INTERNAL: {
    kind: 'retry',
    meaning: 'Something failed that Holdfast has no better word for.',
    remedy: 'Run again with `--verbose` and report the cause if it stays.',
  },
  HF_USAGE: {
    kind: 'terminal',
    meaning: 'The command line, or a variable of the environment, cannot be understood.',
    remedy: 'See `holdfast COMMAND --help`.',
  },
  HF_MANIFEST_UNREADABLE: {
    kind: 'terminal',
    meaning: 'A manifest file is missing, empty, too large or not YAML.',
    remedy: 'Check the path and the line that the message names.',
  },
  HF_MANIFEST_INVALID: {
    kind: 'terminal',
    meaning: 'A manifest does not satisfy the schema or the rules of its kind.',
    remedy: 'Run `holdfast validate FILE`: it names every fault with its line.',
  },
  HF_SCHEDULE_INVALID: {
    kind: 'terminal',
    meaning: 'A schedule or time zone cannot be understood.',
    remedy: 'Use five-field cron, AWS `cron(…)`, and an IANA time zone.',
  },
  HF_EXPRESSION_INVALID: {
    kind: 'terminal',
    meaning: "An `expression` filter's rule cannot be parsed or uses something outside its language.",
    remedy: 'The message gives the position; see docs/guides/filters.md for the language.',
  },
  HF_PROVIDER_UNAVAILABLE: {
    kind: 'terminal',
    meaning: 'The manifest is valid but names a provider that this version cannot use yet.',
    remedy: 'Use one of the providers that the message lists.',
  },
  HF_WAREHOUSE_UNREADABLE: {
    kind: 'terminal',
    meaning:
      'A warehouse, its file, table, column or query cannot be read as it is, or its server refuses the address, the role or the password.',
    remedy: 'Check the path, the permissions and the query that the message names.',
  },
  HF_WAREHOUSE_UNREACHABLE: {
    kind: 'retry',
    meaning:
      'A warehouse cannot be reached, is busy or broke off: its server, its disk, or a file that another process holds or still writes.',
    remedy: 'Run again; if it stays, check the host and the server that the message names.',
  },
  HF_PATH_REFUSED: {
    kind: 'terminal',
    meaning: "On a cluster a path of a program leads out of the folder of the program's files, such as by a link.",
    remedy: 'Put the file on the volume of `storage.files` and name it relative to that.',
  },
  HF_QUERY_REFUSED: {
    kind: 'terminal',
    meaning: 'The query of a connector is not one single SELECT.',
    remedy: 'Give one SELECT statement; Holdfast never writes to a warehouse.',
  },
  HF_COLUMN_MISSING: {
    kind: 'terminal',
    meaning:
      'A column that a filter, a model or a channel needs is neither in the query nor in the feature store, or one that the query reads is not in its source.',
    remedy:
      'Select it in the query, name a `featureStore` that has it, or give the source the column that the message names.',
  },
  HF_REJECTS_OVER_THRESHOLD: {
    kind: 'terminal',
    meaning: 'More rows were rejected than the program allows.',
    remedy:
      'The message counts the reasons, and the rejects file that it names has the rows: mend the source, run again.',
  },
  HF_EXTRACT_EMPTY: {
    kind: 'terminal',
    meaning: 'The query returned no usable row.',
    remedy: 'Check the source: an empty extract never replaces the last good batch.',
  },
  HF_EXTRACT_COLLAPSED: {
    kind: 'terminal',
    meaning: 'The extract is far smaller than that of the last run.',
    remedy: 'Check the source, or lower `quality.minRowsVersusLastRun` if the change is real.',
  },
  HF_CANDIDATES_COLLAPSED: {
    kind: 'terminal',
    meaning:
      'A column that a filter reads is missing in nearly every row, or a filter lets hardly anybody through that did before.',
    remedy: 'Mend the column, or set `quality.acceptEmptyBatch`: the batch before stays the current one until then.',
  },
  HF_MODEL_MISSING: {
    kind: 'terminal',
    meaning: 'A model file, or the manifest beside it, does not exist or cannot be read.',
    remedy: 'Check the endpoint: its path is relative to the folder of the program manifest.',
  },
  HF_MODEL_DIGEST_MISMATCH: {
    kind: 'terminal',
    meaning: 'The bytes of a model are not those that the program pins.',
    remedy: 'Restore the file, or pin the new digest on purpose with `sha256sum FILE`.',
  },
  HF_MODEL_REFUSED: {
    kind: 'terminal',
    meaning: 'A model cannot be used: external data, wrong inputs, wrong features or unknown outputs.',
    remedy: 'Export the model as one file whose features agree with the program, in order.',
  },
  HF_MODEL_UNREACHABLE: {
    kind: 'retry',
    meaning: 'The server of a remote model cannot be reached, is overloaded or fails, also after several tries.',
    remedy: 'Check the endpoint and the server; nothing was published, run again.',
  },
  HF_SCORE_OUT_OF_RANGE: {
    kind: 'terminal',
    meaning: 'A model returned a risk that is not a finite number from 0 to 1, or an effect that is not finite.',
    remedy: 'Check the model and the features that it was given.',
  },
  HF_SOURCE_UNSUITABLE: {
    kind: 'terminal',
    meaning: 'A file or table cannot be read, become a program, or measure a model as it is.',
    remedy: 'The message says what is in the way or missing, and what to do about it.',
  },
  HF_FILE_EXISTS: {
    kind: 'terminal',
    meaning: 'A file that a command would write is there already.',
    remedy: 'Give another name, or `--force` to replace it.',
  },
  HF_DATABASE_UNREACHABLE: {
    kind: 'retry',
    meaning: 'Postgres cannot be reached, has no connection left, or broke off.',
    remedy: 'Check `DATABASE_URL` and the server, or remove it to use the embedded Postgres.',
  },
  HF_DATABASE_REFUSED: {
    kind: 'terminal',
    meaning:
      'The address of Postgres is none, there is no such database, or the server refuses the user, the password or a right; or the embedded one cannot run on this machine.',
    remedy: 'Mend `DATABASE_URL`, or grant what the message names; docs/guides/data.md has the least rights.',
  },
  HF_DATABASE_FAILED: {
    kind: 'retry',
    meaning: 'Postgres refused a statement.',
    remedy: 'The cause has the reason that Postgres gave.',
  },
  HF_MIGRATION_FAILED: {
    kind: 'terminal',
    meaning: 'The database schema is newer than this version, or was changed by hand.',
    remedy: 'Use the version of Holdfast that made it, or a newer one.',
  },
  HF_NOT_MIGRATED: {
    kind: 'not-yet',
    meaning: 'The database does not have the tables that this version needs.',
    remedy: 'Run a program on it: the run makes and changes the tables.',
  },
  HF_DISK_FULL: {
    kind: 'retry',
    meaning: 'A disk has no room left.',
    remedy: 'Free space, or move the state with `--data DIR`; nothing was published.',
  },
  HF_OUT_OF_MEMORY: {
    kind: 'terminal',
    meaning: 'A stage needs more memory for its rows than it may have.',
    remedy:
      'Give it more (`execution.memory` on a cluster, a larger machine otherwise), or leave wide texts out of the query.',
  },
  HF_DATA_LOCKED: {
    kind: 'retry',
    meaning:
      'Another run is using the same data folder or the same program in the same database, or others are storing theirs.',
    remedy: 'Wait for it to end, or use another `--data DIR`.',
  },
  HF_SLOT_IN_FUTURE: {
    kind: 'terminal',
    meaning: 'The slot of a run is yet to come, by the clock of the database.',
    remedy: 'Set the clock of the machine right, or give another `--now` or slot; a dry run may be as of any.',
  },
  HF_BATCH_NOT_CURRENT: {
    kind: 'terminal',
    meaning: 'A batch should have become the current one, and one of a later slot is; nothing was stored.',
    remedy: 'See `holdfast current PROGRAM`, which also sets the current batch back; for the past use a backfill.',
  },
  HF_DATA_FOLDER: {
    kind: 'terminal',
    meaning: 'The data folder cannot be used.',
    remedy: 'Check its path, owner and permissions.',
  },
  HF_ARTIFACT_CORRUPT: {
    kind: 'terminal',
    meaning: 'An artifact of an earlier stage is incomplete or was changed.',
    remedy: 'Run again: every stage can be repeated.',
  },
  HF_INTERRUPTED: {
    kind: 'retry',
    meaning: 'The command was interrupted before it ended.',
    remedy:
      'Run the same command again, or the `holdfast retry RUN` that the message names; nothing was published and nothing is lost. A run of a cluster that was only watched goes on: `holdfast status --run NAME --watch`.',
  },
  HF_RUN_CANCELLED: {
    kind: 'terminal',
    meaning: 'The run is cancelled or suspended by its manifest, or its program is not enabled.',
    remedy: 'Change `cancel`, `suspend` or `enabled` in the manifest.',
  },
  HF_NOT_FOUND: {
    kind: 'terminal',
    meaning:
      'There is no such program, run or customer in the state, or no such object in the namespace of the cluster.',
    remedy: 'Check the spelling, the data folder or the namespace, and that the program has run.',
  },
  HF_CLUSTER_CONFIG: {
    kind: 'terminal',
    meaning:
      'There is no way to a cluster: no kubeconfig, no such context in it, credentials that cannot be had, or a certificate that is not trusted or has expired.',
    remedy: 'Check `--kubeconfig`, `KUBECONFIG` and `--context`; `kubectl cluster-info` goes the same way.',
  },
  HF_CLUSTER_UNREACHABLE: {
    kind: 'retry',
    meaning: "The cluster's API server does not answer, is overloaded or fails.",
    remedy: 'Try again; if it stays, check the address that the message names, and the network.',
  },
  HF_CLUSTER_UNAUTHORIZED: {
    kind: 'terminal',
    meaning: "The cluster's API server does not know who asks: the credentials are wrong or have expired.",
    remedy: 'Log in to the cluster again, or give another `--context`.',
  },
  HF_CLUSTER_FORBIDDEN: {
    kind: 'terminal',
    meaning: 'The cluster does not let you do this in this namespace.',
    remedy: 'Ask for the ClusterRole that the message names; docs/guides/cluster.md says how it is given.',
  },
  HF_CLUSTER_REFUSED: {
    kind: 'terminal',
    meaning:
      'The cluster refuses an object as it is: a field is wrong, a policy or a quota is in the way, or the namespace goes away.',
    remedy: 'Do as the message says.',
  },
  HF_CLUSTER_CONFLICT: {
    kind: 'retry',
    meaning: 'The object was changed or removed by another meanwhile.',
    remedy: 'Look with `holdfast status --cluster`, and try again.',
  },
  HF_NOT_INSTALLED: {
    kind: 'terminal',
    meaning: 'The cluster does not know the kinds of Holdfast: it is not installed there, or in another version.',
    remedy: 'Install the chart (docs/guides/cluster.md), or give another `--context`.',
  },
  HF_CLUSTER_ONLY: {
    kind: 'terminal',
    meaning: 'The command is about a cluster, and a data folder was chosen.',
    remedy: 'Give `--cluster`, `--context` or `--kubeconfig`; on a laptop `holdfast run FILE` runs a program.',
  },
  HF_SLOT_REFUSED: {
    kind: 'terminal',
    meaning: 'Runs of these slots are not made: there are none or too many, or people would hear of what is past.',
    remedy: 'Name others; `holdfast backfill --help` says which may be named.',
  },
  HF_SLOT_DONE: {
    kind: 'terminal',
    meaning: 'The pipeline reaches people, and has succeeded for the slot or for a later one: nobody is told twice.',
    remedy: 'None is needed: run it at its next slot. One that failed is taken up with `holdfast retry RUN`.',
  },
  HF_UPSTREAM_MISSING: {
    kind: 'not-yet',
    meaning: 'The pipeline comes after another, which has not succeeded for the slot.',
    remedy: 'Run the pipeline that the message names, for that slot; a dry run or a backfill of it does not count.',
  },
  HF_PROGRAM_NOT_READY: {
    kind: 'terminal',
    meaning:
      'The program on the cluster is not accepted, is turned off or is being deleted, so that a run of it would not begin.',
    remedy: 'Mend what the message names; `holdfast status PROGRAM --cluster` shows it.',
  },
  HF_RUN_OVER: {
    kind: 'terminal',
    meaning: 'The run is over already, so that nothing can be done to it any more.',
    remedy: 'Begin another, with `holdfast trigger PROGRAM`.',
  },
  HF_RETRY_REFUSED: {
    kind: 'terminal',
    meaning: 'A run cannot be done again, or not from the stage that was named.',
    remedy: 'The message says why: leave the stage out, or begin a new run of the program.',
  },
  HF_RUN_NOT_PREPARED: {
    kind: 'not-yet',
    meaning: 'A task on a cluster came before the first task of its run, which records it in Postgres.',
    remedy: 'None: it is tried again.',
  },
  HF_ADDRESS_UNAVAILABLE: {
    kind: 'retry',
    meaning: 'The API cannot listen on the address and port that it was given.',
    remedy: 'Choose another with `--port` or `--host`, or stop what listens there.',
  },
  HF_REQUEST_INVALID: {
    kind: 'terminal',
    meaning: 'A request to the API has a parameter that is unknown, given twice or wrong.',
    remedy: 'Mend what `errors` names; docs/guides/api.md and /openapi.json have every parameter.',
  },
  HF_REQUEST_REFUSED: {
    kind: 'terminal',
    meaning: 'A request to the API has a host, method, size or media type that is not served.',
    remedy: 'Do as the message says.',
  },
  HF_TOO_MANY_DOWNLOADS: {
    kind: 'retry',
    meaning: 'So many files are sent at once for what a token of the API opens as may be.',
    remedy: 'Ask again when one has arrived, or after `Retry-After` seconds.',
  },
  HF_UNAUTHORIZED: {
    kind: 'terminal',
    meaning: 'A request to the API has no token, or not the right one.',
    remedy: 'Send `Authorization: Bearer TOKEN`; in a browser, enter the token that `holdfast serve` printed.',
  },
  HF_FORBIDDEN: {
    kind: 'terminal',
    meaning: 'The token of a request to the API is for other namespaces, or a form came from a page elsewhere.',
    remedy: 'Use a token that names the namespace; `holdfast serve --help` says how to list them.',
  },
  HF_CURSOR_EXPIRED: {
    kind: 'retry',
    meaning: 'The batch that a cursor goes on in has expired, was removed, or was stored anew.',
    remedy: 'Begin again without a cursor.',
  },
} as const satisfies Record<string, CodeEntry>;

export type ErrorCode = keyof typeof ERROR_CODES;

/**
 * A failure that a person can act on: a stable code, a sentence, and what caused it.
 * The message never holds personal data, secrets or rows.
 */
export class HoldfastError extends Error {
  readonly code: ErrorCode;
  /** Where in the manifest its cause is, if that is known: names of fields and positions in lists, from the top. */
  field?: readonly (string | number)[];

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'HoldfastError';
    this.code = code;
  }

  get kind(): FailureKind {
    return ERROR_CODES[this.code].kind;
  }
}

/** Does what one part of a manifest asks for; an error that comes of it says which part that was. */
export async function forField<Result>(
  field: HoldfastError['field'] & {},
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HoldfastError && error.code !== 'HF_INTERRUPTED') error.field ??= field;
    throw error;
  }
}
