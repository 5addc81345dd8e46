import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../jobs/artifacts/producer.ts';
import { exitStatus, HoldfastError } from '../jobs/errors.ts';
import { printable } from '../jobs/printable.ts';
import { asFailure } from '../jobs/run/failure.ts';
import { DEFAULT_DATA } from './data-folder.ts';
import type { Io, Output } from './io.ts';

/** Each command's code, and with it the drivers it needs, is loaded only when the command runs. */
function commands(io: Io, ended: (status: number) => void): Command {
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
  holdfast run examples/churn-prevention.yaml        the weekly batch, on this machine
  holdfast validate program.yaml                     every fault of a manifest, with its line
  holdfast explain churn-prevention C0001516         why this customer is, or is not, a candidate
  holdfast clean                                     removes the local state

Exit status: 0 done, 78 refused manifest or failed gate, 1 any other failure.`,
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
    .option('--dry-run', 'run every stage but write nothing')
    .addHelpText(
      'after',
      `
State is kept in an embedded Postgres and in Parquet files under --data; DATABASE_URL takes the place of the
embedded Postgres. Progress goes to stderr, the result to stdout.

Examples:
  holdfast run examples/churn-prevention.yaml
  holdfast run examples/churn-prevention.yaml --now 2026-11-23T02:00:00Z --customers 50000
  holdfast run examples/cell2cell.yaml --source carrier=cell2celltrain.csv
  holdfast run program.yaml --output json | jq '.stages[] | {name, rowsOut}'
  holdfast run program.yaml --dry-run`,
    )
    .action(async (file, options) => ended(await (await import('./run.ts')).run(file, options, io)));

  holdfast
    .command('validate')
    .description('name every fault of manifests, with line, field and reason')
    .argument('<files...>', 'manifests; - is standard input')
    .addHelpText(
      'after',
      `
Examples:
  holdfast validate program.yaml
  holdfast validate examples/*.yaml
  kubectl get rp churn-prevention -o yaml | holdfast validate -`,
    )
    .action(async (files) => ended(await (await import('./validate.ts')).validateFiles(files, io)));

  holdfast
    .command('explain')
    .description(
      'tell why a customer is, or is not, a candidate: signals, filters with the values compared, score, offer',
    )
    .argument('<program>', 'programId')
    .argument('<customer>', 'customer_id')
    .addOption(output)
    .addOption(data)
    .option('-n, --namespace <name>', "namespace of the program's manifest", 'default')
    .option('--run <name>', 'another run than the newest that succeeded')
    .addHelpText(
      'after',
      `
Examples:
  holdfast explain churn-prevention C0001516
  holdfast explain churn-prevention C0001516 --output json`,
    )
    .action(async (program, customer, options) =>
      ended(await (await import('./explain.ts')).explain(program, customer, options, io)),
    );

  holdfast
    .command('clean')
    .description('remove the local state: artifacts, sample warehouses and the embedded Postgres')
    .addOption(data)
    .addHelpText('after', '\nA database given by DATABASE_URL is left as it is.')
    .action(async (options) => ended(await (await import('./clean.ts')).clean(options, io)));

  for (const command of [holdfast, ...holdfast.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
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
    write(text) {
      printed = true;
      return io.stdout.write(text);
    },
  };
  const program = commands({ ...io, stdout }, (ended) => {
    status = ended;
  });
  try {
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
    return error instanceof CommanderError ? 1 : report(failure, program.opts()['verbose'] === true, io);
  }
}

function asksForJson(argv: readonly string[]): boolean {
  return /(^| )(-o|--output)[ =]?json( |$)/.test(argv.join(' '));
}

/** What commander refuses is a matter of usage; the rest is what it is everywhere. */
function failureOf(error: unknown, signal: AbortSignal): HoldfastError {
  if (!(error instanceof CommanderError)) return asFailure(error, signal);
  return new HoldfastError('HF_USAGE', error.message.replace(/^error: /, ''), { cause: error });
}

/** Prints a failure as one line, `CODE: sentence`, and its causes where a person asked for them. */
function report(failure: HoldfastError, verbose: boolean, io: Io): number {
  // It may quote a column, a path or a query.
  io.stderr.write(`${failure.code}: ${printable(failure.message)}\n`);
  if (verbose) {
    for (let cause: unknown = failure; cause instanceof Error; cause = cause.cause) io.stderr.write(`${cause.stack}\n`);
  }
  return exitStatus(failure);
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}

if (import.meta.main) {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => interrupt.abort(new HoldfastError('HF_INTERRUPTED', `stopped by ${name}; run it again`)));
  }
  // Nobody reads any more: the work goes on to its end, and what it holds is given back. A reader that had enough
  // (`| head`) is no failure, a full disk is.
  let unwritable = 0;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    if (unwritable === 0)
      process.stderr.write(`HF_DISK_FULL: cannot write the result (${error.code ?? error.message})\n`);
    unwritable = 1;
    process.exitCode ||= unwritable;
  });
  process.stderr.on('error', () => {});
  const status = await main(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    signal: interrupt.signal,
    now: () => new Date(),
    elapsed: () => performance.now(),
  });
  process.exitCode = status || unwritable;
}
