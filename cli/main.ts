import { Argument, Command, CommanderError, Option } from 'commander';
import { HoldfastError } from '../base/errors.ts';
import { printable } from '../base/text/printable.ts';
import { exitStatus } from '../contract/exit-status.ts';
import { asFailure } from '../contract/failure.ts';
import { VERSION } from '../providers/artifacts/producer.ts';
import { messageAsCalled, withCommandAsCalled } from './called-as.ts';
import { ASK, completionScript, type FindNames, SHELLS, type Shell, wordsToFollow } from './completion.ts';
import type { Io, Output } from './io.ts';
import { DEFAULT_DATA } from './local/data-folder.ts';
import { Stopped } from './stopped.ts';
import { addVerbs } from './verbs.ts';

/** Each command's code, and with it the drivers it needs, is loaded only when the command runs. */
export function commands(io: Io, ended: (status: number) => void): Command {
  const holdfast = new Command('holdfast')
    .description('Keeps customers: finds those about to leave, decides what to offer, and proves whether it worked.')
    .version(VERSION, '-V, --version')
    .option('--verbose', 'print the causes of an error as well')
    .showSuggestionAfterError()
    .showHelpAfterError('(see --help)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      `
Examples:
  holdfast init customers.csv                        a program, and a model, for a file of your own
  holdfast run examples/churn-prevention.yaml        the weekly batch, on this machine
  holdfast validate program.yaml                     every fault of a manifest, with its line
  holdfast models check my.onnx                      whether a run can use a model, and how good it is
  holdfast explain churn-prevention C0001516         why this customer is, or is not, a candidate
  holdfast candidates churn-prevention --csv         whom to contact, for a spreadsheet or a mail tool
  holdfast serve                                     the newest batch as a page and an API
  holdfast clean                                     removes the local state

Exit status: 0 done; 78 something has to be changed first (the command, the manifest, the data, a password);
1 the same may pass later (a server that is down, a full disk, another run under way). docs/errors.md has every code.`,
    );

  const data = new Option('--data <dir>', 'folder where state lives').default(DEFAULT_DATA).env('HOLDFAST_DATA');
  const output = new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text');

  holdfast
    .command('run')
    .description('run the program of a manifest on this machine: extract → filter → score → offer → store')
    .argument('<file>', 'manifest with a RetentionProgram, or with a RetentionRun and its program')
    .addOption(output)
    .addOption(data)
    .option('--now <instant>', 'set the clock, as in 2026-11-23T02:00:00Z (default: now)')
    .option('--customers <n>', 'size of the sample warehouse, in rows that the query returns')
    .option('--source <connector=path>', 'read a connector from another file (repeatable)', collect, [])
    .option('--shards <n>', 'score in this many processes; the result is the same (default: 1)')
    .option('--dry-run', 'run every stage but write nothing')
    .addHelpText(
      'after',
      `
State is kept in an embedded Postgres and in Parquet files under --data; DATABASE_URL takes the place of the
embedded Postgres. HOLDFAST_CONNECTION_<CONNECTOR> says how to connect to a warehouse in Postgres. Progress goes to
stderr, the result to stdout. A RetentionRun may ask for any pipeline; one that comes after another needs a run of that one
for the slot, and one that reaches people runs for the newest slot of its schedule only, once. After Ctrl-C the last line says
how to go on: holdfast retry RUN.

Examples:
  holdfast run examples/churn-prevention.yaml
  holdfast run prune.yaml --dry-run                       a RetentionRun with pipeline: prune, and its program
  holdfast run examples/churn-prevention.yaml --now 2026-11-23T02:00:00Z --customers 50000
  holdfast run examples/cell2cell.yaml --source carrier=cell2celltrain.csv
  HOLDFAST_CONNECTION_CRM=postgres://reader@db/crm holdfast run crm.yaml
  holdfast run program.yaml --output json | jq '.stages[] | {name, rowsOut}'
  holdfast run program.yaml --dry-run`,
    )
    .action(async (file, options) => ended(await (await import('./commands/run.ts')).run(file, options, io)));

  holdfast
    .command('init')
    .description('look at a file of customers, or of transactions, and write a program that runs on it, with a model')
    .argument(
      '[file]',
      'a CSV, JSON, Parquet or Excel file, or a DuckDB database with --table; none for a table of Postgres',
    )
    .option('-o, --out <file>', 'manifest to write; - is standard output', 'program.yaml')
    .option('--force', 'replace files that are there')
    .option('--id <column>', 'the column that says who a customer is')
    .option('--label <column>', 'the column that says who left, or COLUMN=VALUE of those who did')
    .addOption(
      new Option('--rows <what>', 'what a row is, where the file could be either').choices([
        'customers',
        'transactions',
      ]),
    )
    .option('--cut <day>', 'of transactions: the model learns who came back after this day, as in 2026-09-01')
    .option('--horizon <days>', 'of transactions: days after the cut in which a customer comes back, or has left')
    .addOption(
      new Option('--dates <order>', 'order of day, month and year, where the file cannot tell').choices([
        'dmy',
        'mdy',
        'ymd',
      ]),
    )
    .addOption(
      new Option('--decimal <mark>', 'what is before the decimals, where the file cannot tell').choices([
        'point',
        'comma',
      ]),
    )
    .option('--table <table>', 'table of a database; without it the tables are listed')
    .option('--sheet <name>', 'sheet of an Excel workbook, where it has several')
    .option('--connector <id>', 'for Postgres: HOLDFAST_CONNECTION_<ID> says how to connect', 'warehouse')
    .option('--marketplace <code>', 'where the customers are, if no column says it', 'US')
    .option(
      '--use-protected <column>',
      'give this one to the model, though it is protected: age, sex, … (repeatable)',
      collect,
      [],
    )
    .option('--name <id>', 'programId (default: from the name of the file)')
    .option('--seed <n>', 'which rows the model is measured on', '1')
    .addOption(new Option('--output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
Nothing is guessed in silence: the manifest says of each column where it comes from, how sure that is and why, and
what was not found. With a column that says who left, a logistic regression is trained and measured on rows held
out; without, a scorecard of recency, engagement and use ranks the customers, and says that it is no model. Of transactions
(several rows of a customer, each with a day and an amount or an invoice) the query makes one row for each customer, and
the label is who bought nothing in the days after a cut.

Examples:
  holdfast init customers.csv && holdfast run program.yaml
  holdfast init orders.csv --cut 2026-06-01 --horizon 90
  holdfast init customers.parquet --id msno --label is_churn -o churn.yaml
  holdfast init customers.csv --label 'status=gone' --output json | jq .model
  holdfast init warehouse.duckdb --table analytics.customers -o -
  HOLDFAST_CONNECTION_CRM=postgres://reader@db/crm holdfast init --connector crm      # lists its tables
  HOLDFAST_CONNECTION_CRM=postgres://reader@db/crm holdfast init --connector crm --table analytics.customers`,
    )
    .action(async (file, options) => ended(await (await import('./commands/init.ts')).init(file, options, io)));

  holdfast
    .command('validate')
    .description('name every fault of manifests, with line, field and reason')
    .argument('<files...>', 'manifests; - is standard input')
    .option('--deep', 'also go through each program as `run --dry-run` does, on its source and its models')
    .addOption(output)
    .addOption(data)
    .addHelpText(
      'after',
      `
With --deep the sources are read whole, the models are loaded and asked, and quality is judged as by a run (against the last
batch, where there is state under --data or in DATABASE_URL). Nothing is written and nothing is left. Connections come from
HOLDFAST_CONNECTION_<CONNECTOR>, other files from HOLDFAST_SOURCE_<CONNECTOR>. Each program may take as long as its
execution.deadlineSeconds gives one task (default: an hour). A RetentionRun is tried as of its own slot, with its program
from among the files; a prune, and a program that is not enabled, are not tried, which is said.

Exit status: 0 valid; 78 something has to be changed first; 1 all that is in the way may pass, such as a server that is down.

Examples:
  holdfast validate program.yaml
  holdfast validate deploy/*.yaml --deep
  HOLDFAST_CONNECTION_CRM=postgres://reader@db/crm holdfast validate crm.yaml --deep --output json
  holdfast validate examples/*.yaml
  holdfast validate examples/*.yaml --output json | jq '.findings[] | select(.severity == "fault")'
  kubectl get rp churn-prevention -o yaml | holdfast validate -`,
    )
    .action(async (files, options) =>
      ended(await (await import('./commands/validate.ts')).validateFiles(files, options, io)),
    );

  const models = holdfast.command('models').description('look at models before a program uses them');
  models
    .command('check')
    .description('say whether a run can use a model, with every reason against it, and how good it is')
    .argument('[file]', 'an ONNX file, with its JSON beside it')
    .option('--features <list>', 'the features that a program would name, in order: a,b,c (default: those of the JSON)')
    .addOption(
      new Option('--role <role>', 'what it predicts, where no JSON says it')
        .choices(['churn-risk', 'offer-effectiveness'])
        .default('churn-risk'),
    )
    .option('--program <file>', 'check every model of a program in its place')
    .option(
      '--data <file>',
      'a file that says what happened, to measure it by: with the features, or, with --program, such as it reads',
    )
    .option('--sheet <name>', 'sheet of --data, where it is an Excel workbook of several')
    .option('--measure', 'measure the model of --program on the rows that the program reads, as they are by now')
    .option('--label <column>', 'the column that says who left, or COLUMN=VALUE of those who did')
    .option('--plot <file>', 'write the reliability as an SVG picture')
    .addOption(output)
    .addHelpText(
      'after',
      `
Examples:
  holdfast models check examples/models/churn-risk-v6.onnx
  holdfast models check my.onnx --features tenure,logins --data labelled.csv --label churned --plot reliability.svg
  holdfast models check --program program.yaml --data later.csv
  holdfast models check --program program.yaml --measure
  holdfast models check --program program.yaml --output json | jq '.models[].faults'

Exit status: 0 usable, 78 not usable or not to be read, 1 the same may pass later.`,
    )
    .action(async (file, options) =>
      ended(await (await import('./commands/models.ts')).checkModels(file, options, io)),
    );

  holdfast
    .command('explain')
    .description(
      'tell why a customer is, or is not, a candidate: signals, filters with the values compared, score with its reasons, offer; or the same of a whole group',
    )
    .argument('<program>', 'programId')
    .argument('[customer]', 'customer_id')
    .option('--filter <id>', 'those whom a filter removed, in place of one customer')
    .option('--candidates', 'the candidates, and the reasons of their risk')
    .option('--below-threshold', 'those who were scored, but below the lowest risk level')
    .option('--sample <n>', 'customers of a group to show, 1 to 10000 (default: 20), or all as JSON lines')
    .option('--seed <text>', 'draws the sample by a hash (default: 1 with --filter, else the riskiest are shown)')
    .option('--reasons <n>', 'strongest reasons of a score to show (default: 3)')
    .option('--models <dir>', "folder that models' relative endpoints start from (default: where the manifest was)")
    .addOption(output)
    .addOption(data)
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .option('--run <name>', 'another run than the newest that succeeded')
    .addHelpText(
      'after',
      `
Examples:
  holdfast explain churn-prevention C0001516
  holdfast explain churn-prevention C0001516 --output json
  holdfast explain churn-prevention --filter churn-signal --sample 20
  holdfast explain churn-prevention --candidates --sample 5 --reasons 5
  holdfast explain churn-prevention --candidates --sample all --output json > reasons.jsonl`,
    )
    .action(async (program, customer, options) =>
      ended(await (await import('./commands/explain.ts')).explain(program, customer, options, io)),
    );

  holdfast
    .command('candidates')
    .description(
      'list whom to contact of a batch, with risk, reasons and offer: as CSV, Parquet or JSON, or the first of them',
    )
    .argument('<program>', 'programId')
    .option('--csv', 'CSV (RFC 4180, UTF-8); no text in it is a formula to a spreadsheet')
    .option('--excel', 'with --csv: a byte order mark first, by which Excel knows UTF-8')
    .option('--parquet', 'Parquet, with --out')
    .option('--json', 'JSON lines: one object for each customer')
    .option('--out <file>', 'file to write, whole or not at all (default: standard output)')
    .addOption(new Option('--risk <level>', 'those of one risk level').choices(['critical', 'high', 'medium']))
    .option('--limit <n>', 'the first n, highest risk first (default: all, or 20 as text)')
    .option('--id-column <name>', "what the customer's id is called in your own table (default: customer_id)")
    .addOption(
      new Option(
        '--arm <arm>',
        'for analysis, never to contact: an arm of the experiment, with two more columns',
      ).choices(['treatment', 'holdout', 'all']),
    )
    .addOption(data)
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .option('--run <name>', 'another batch that is kept than the current one')
    .addHelpText(
      'after',
      `
Customers who are held out get nothing, so that the effect can be measured: they are not in the list, nor is who gets no
offer, or a batch past its time. DATABASE_URL takes the place of the embedded Postgres, so it works for a cluster too.

Examples:
  holdfast candidates churn-prevention
  holdfast candidates churn-prevention --csv --out contact.csv
  holdfast candidates churn-prevention --csv --excel --risk critical --out critical.csv
  holdfast candidates churn-prevention --parquet --out contact.parquet --id-column CustomerID
  holdfast candidates churn-prevention --json | jq -r 'select(.offer_kind == "discount").customer_id'
  DATABASE_URL=postgres://… holdfast candidates churn-prevention --namespace shop --csv`,
    )
    .action(async (program, options) =>
      ended(await (await import('./commands/candidates.ts')).candidates(program, options, io)),
    );

  const listing = new Option('-o, --output <format>', 'what to print')
    .choices(['text', 'wide', 'json'])
    .default('text');
  holdfast
    .command('runs')
    .description('list the runs of a program, or of every one: slot, phase, candidates, duration, and why one failed')
    .argument('[name]', 'programId, or the name of a run, to see what it warned of')
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .addOption(listing)
    .addOption(data)
    .addHelpText(
      'after',
      `
The newest 20 of each program; * marks the current batch. DATABASE_URL takes the place of the embedded Postgres, so it
works for a cluster too.

Examples:
  holdfast runs
  holdfast runs churn-prevention --output wide
  holdfast runs churn-prevention-20261123t020000z-1
  DATABASE_URL=postgres://… holdfast runs churn-prevention -n shop -o json | jq '.runs[] | select(.error)'`,
    )
    .action(async (program, options) => ended(await (await import('./commands/runs.ts')).runs(program, options, io)));

  addVerbs(holdfast, { output, listing, data }, io, ended);

  holdfast
    .command('current')
    .description('say which batch of a program is the current one, or set it to another that is there')
    .argument('<program>', 'programId')
    .option('--set <run>', 'the run whose batch is to be current from now on')
    .option('--reason <text>', 'why, for --set; kept in Postgres with who did so, and when')
    .option('--by <name>', 'who, for --set (default: USER of the environment)')
    .option('--withdraw', 'with --set: nobody was contacted from the batch before, so its decisions count no more')
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .addOption(output)
    .addOption(data)
    .addHelpText(
      'after',
      `
By itself the current batch moves only to a later slot, or a later run of the same. For a batch that is wrong, or one as
of a day that is yet to come, set it back; the next batch of a later slot takes over as ever. The view in SQL, the API and
current.parquet follow at once. DATABASE_URL takes the place of the embedded Postgres, so it works for a cluster too.

Examples:
  holdfast current churn-prevention
  holdfast current churn-prevention --set churn-prevention-20261116t020000z-3 --reason 'prices were wrong'
  DATABASE_URL=postgres://… holdfast current churn-prevention --namespace shop --output json`,
    )
    .action(async (program, options) =>
      ended(await (await import('./commands/current.ts')).current(program, options, io)),
    );

  holdfast
    .command('discard')
    .description('say that a batch was never sent: what it decided is no offer')
    .argument('<run>', 'name of the run that made it')
    .option('--reason <text>', 'why; kept in Postgres with who did so, and when')
    .option('--by <name>', 'who (default: USER of the environment)')
    .option('--undo', 'take it back: what the batch decided counts again')
    .option('--keep-later', 'also where later batches of the program counted what it decided: they stay as they are')
    .option('--program <id>', 'programId, where runs of several programs have that name')
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .addOption(output)
    .addOption(data)
    .addHelpText(
      'after',
      `
A batch counts as an offer to everybody in it, those held out as well, as soon as it is published: nothing says whether it
was sent. One that was not is discarded, and the next run may choose its customers again. Offers that offerHistory knows
count whatever becomes of the batch. Where the current batch is discarded, the newest one before it that still has candidates
becomes current again; where there is none, none is. DATABASE_URL takes the place of the embedded Postgres, so it works for
a cluster too.

Examples:
  holdfast discard churn-prevention-20261123t020000z-4 --reason 'the mail tool was down'
  holdfast discard churn-prevention-20261123t020000z-4 --undo --reason 'it was sent after all'
  DATABASE_URL=postgres://… holdfast discard churn-prevention-29674200 --namespace shop --reason 'a trial'`,
    )
    .action(async (run, options) => ended(await (await import('./commands/discard.ts')).discard(run, options, io)));

  holdfast
    .command('prune')
    .description('delete what programs no longer need: candidates past their time, artifacts of old runs, old samples')
    .argument('[program]', 'programId')
    .option('--all', 'every program that has run here')
    .option('--deleted', 'the program is no more: all its candidates and artifacts go, its decisions stay')
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .option('--keep-runs <n>', 'newest succeeded runs to keep (default: retention.runs of the program, or 10)')
    .option('--keep-days <d>', 'days for which failed runs stay (default: retention.failedDays of the program, or 30)')
    .option('--now <instant>', 'set the clock; what goes must be old by the clocks of machine and database as well')
    .option('--dry-run', 'count what would go and delete nothing')
    .addOption(output)
    .addOption(data)
    .addHelpText(
      'after',
      `
The run of the current batch, runs under way, runs whose candidates still live and decisions that caps need always stay.

Examples:
  holdfast prune churn-prevention --dry-run
  holdfast prune churn-prevention --keep-runs 3
  holdfast prune old-program --deleted
  holdfast prune --all --output json`,
    )
    .action(async (program, options) => ended(await (await import('./commands/prune.ts')).prune(program, options, io)));

  holdfast
    .command('serve')
    .description('answer over HTTP: candidates, programs and runs as JSON, and a page that shows the newest batch')
    .option('--port <port>', 'port to listen on; 0 for any that is free', '8080')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for every one', '127.0.0.1')
    .option('--drain <seconds>', 'how long to go on, saying "not ready", once it is told to stop', '0')
    .addOption(data)
    .option(
      '-n, --namespace <name>',
      'namespace that the token is for, and whose programs the page shows first',
      'default',
    )
    .option('--tokens <file>', 'tokens of several namespaces: lines of NAMESPACE[,NAMESPACE…] TOKEN; * is every one')
    .addHelpText(
      'after',
      `
Reads the Postgres of DATABASE_URL, or else the embedded one under --data, and can run beside "holdfast run".
Everything but /healthz and /readyz needs a token, which names its namespaces: those of --tokens, the one in HOLDFAST_API_TOKEN (for --namespace), or else one that is made up at the start and printed, with an address that lets in one browser, once. Requests are logged to stderr, one JSON object a line.
Names other than localhost that it is reached by are listed, by commas, in HOLDFAST_API_HOSTS.

Examples:
  holdfast serve
  holdfast serve --port 9000 --data /var/lib/holdfast
  HOLDFAST_API_TOKEN=$(openssl rand -hex 32) holdfast serve --host 0.0.0.0 --drain 10 --namespace shop
  holdfast serve --tokens /etc/holdfast/tokens
  curl -H "Authorization: Bearer $TOKEN" \
    'http://127.0.0.1:8080/v1/namespaces/default/programs/churn-prevention/candidates?riskLevel=critical&limit=10'`,
    )
    .action(async (options) => ended(await (await import('./commands/serve.ts')).serve(options, io)));

  holdfast
    .command('completion')
    .description('print a script that completes commands, options, choices and names of a cluster in a shell')
    .addArgument(new Argument('<shell>', 'of which shell').choices(SHELLS))
    .addHelpText(
      'after',
      `
Examples:
  holdfast completion bash > ~/.local/share/bash-completion/completions/holdfast
  holdfast completion zsh > ~/.zsh/completions/_holdfast
  holdfast completion fish > ~/.config/fish/completions/holdfast.fish`,
    )
    .action((shell: Shell) => void io.stdout.write(completionScript(holdfast, shell)));

  holdfast
    .command('clean')
    .description('remove the local state: artifacts, sample warehouses and the embedded Postgres')
    .addOption(data)
    .addHelpText('after', '\nA database given by DATABASE_URL is left as it is.')
    .action(async (options) => ended(await (await import('./commands/clean.ts')).clean(options, io)));

  for (const command of [holdfast, ...holdfast.commands, ...models.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(withCommandAsCalled(text, io)),
      writeErr: (text) => io.stderr.write(withCommandAsCalled(text, io)),
    });
  }
  return holdfast;
}

/** Runs one command line and resolves to its exit status. Never throws. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let status = 0;
  let printed = false;
  const stdout: Output = {
    ...(io.stdout.isTTY === undefined ? {} : { isTTY: io.stdout.isTTY }),
    // Asked each time, since a person makes the window wider.
    get columns() {
      return io.stdout.columns ?? DEFAULT_COLUMNS;
    },
    get rows() {
      return io.stdout.rows;
    },
    write(text) {
      printed = true;
      return io.stdout.write(text);
    },
  };
  const program = commands({ ...io, stdout }, (ended) => {
    status = ended;
  });
  try {
    io.signal.throwIfAborted();
    if (argv[0] === ASK) {
      const findNames: FindNames = async (of, before) =>
        await (await import('./complete-names.ts')).completeNames(of, before, io);
      stdout.write(await wordsToFollow(program, argv.slice(1), findNames));
      return 0;
    }
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const failure = failureOf(error, io.signal);
    // Who asked for JSON gets one object, whatever went wrong and however early.
    if (!printed && asksForJson(argv)) {
      io.stdout.write(`${JSON.stringify({ error: { code: failure.code, message: failure.message } })}\n`);
    }
    // Commander has said it already, with what was probably meant.
    return error instanceof CommanderError
      ? exitStatus(failure)
      : report(failure, program.opts()['verbose'] === true, io);
  }
}

/** Of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

function asksForJson(argv: readonly string[]): boolean {
  return /(^| )(-o|--output)[ =]?json( |$)/.test(argv.join(' '));
}

/** What commander refuses is a matter of usage; the rest is what it is everywhere. */
function failureOf(error: unknown, signal: AbortSignal): HoldfastError {
  if (error instanceof Stopped) return error;
  if (!(error instanceof CommanderError)) return asFailure(error, signal);
  return new HoldfastError('HF_USAGE', error.message.replace(/^error: /, ''), { cause: error });
}

/** Prints a failure as one line, `CODE: sentence`, and its causes where a person asked for them. */
function report(failure: HoldfastError, verbose: boolean, io: Io): number {
  // It may quote a column, a path or a query.
  io.stderr.write(`${failure.code}: ${messageAsCalled(printable(failure.message), io)}\n`);
  if (verbose) {
    for (let cause: unknown = failure; cause instanceof Error; cause = cause.cause) io.stderr.write(`${cause.stack}\n`);
  }
  return exitStatus(failure);
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}
