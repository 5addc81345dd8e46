import { type Command, Option } from 'commander';
import { PUBLISHING, pipelinesOf } from '../contract/pipelines.ts';
import type { Io } from './io.ts';

/** Options that other commands have as well. */
interface Shared {
  readonly output: Option;
  readonly listing: Option;
  readonly data: Option;
}

const PLACE = `
Where: the cluster with --context, --kubeconfig or --cluster, and always as kubectl holdfast; otherwise the data folder where
there is one; otherwise the cluster of the kubeconfig's current context. The first line on stderr says which.`;

/** The commands about runs that work on a cluster, and where they make sense on a data folder too. */
export function addVerbs(
  holdfast: Command,
  { output, listing, data }: Shared,
  io: Io,
  ended: (status: number) => void,
): void {
  const pipelines = pipelinesOf('program', io.runnable?.table);
  const place = (command: Command): Command =>
    command
      .option('-n, --namespace <name>', 'namespace (default: that of the context; default for a data folder)')
      .option('--context <name>', 'context of the kubeconfig (default: its current one)')
      .option('--kubeconfig <file>', 'kubeconfig (default: those of KUBECONFIG, else ~/.kube/config)')
      .option('--cluster', "in the cluster of the kubeconfig's current context")
      .addOption(data);
  /** Options with whether the data folder was named. */
  const placed = <T extends object>(options: T, command: Command): T & { readonly dataIsGiven: boolean } => ({
    ...options,
    dataIsGiven: command.getOptionValueSource('data') === 'cli',
  });

  place(
    holdfast
      .command('status')
      .description('say of a program, or of every one, how the last runs ended, what goes on and when the next is due')
      .argument('[program]', 'programId; on a cluster the name of the RetentionProgram')
      .option('--run <name>', 'on a cluster: one run, with its stages')
      .option('--watch', 'on a cluster: draw what changes as it goes; with --run until its end')
      .addOption(listing),
  )
    .addHelpText(
      'after',
      `
In a data folder NEXT is the next slot by the schedule of the last batch, which is known where its files are.
${PLACE}

Exit status: 0; with --run and --watch that of the run: 0 succeeded, 1 not.

Examples:
  holdfast status
  holdfast status churn-prevention --output wide
  holdfast status churn-prevention --cluster -n shop --watch
  holdfast status --run churn-prevention-20261123t0200z --context kind-dev --watch
  holdfast status -o json | jq '.programs[] | {program, nextSlot}'`,
    )
    .action(async (program, options, command) =>
      ended(await (await import('./commands/status.ts')).status(program, placed(options, command), io)),
    );

  place(
    holdfast
      .command('trigger')
      .description('run a program on a cluster now, in place of waiting for its slot')
      .argument('<program>', 'name of the RetentionProgram')
      .addOption(new Option('--pipeline <name>', 'what to run').choices(Object.keys(pipelines)).default(PUBLISHING))
      .option('--slot <instant>', 'as of when, as in 2026-11-23T02:00:00Z (default: the newest slot of the schedule)')
      .option('--dry-run', 'go through the stages and publish nothing')
      .option('--wait', 'follow the run to its end')
      .addOption(output),
  )
    .addHelpText(
      'after',
      `${PLACE}

Exit status: 0 the run is made; with --wait 0 where it succeeded and 1 where not; 78 something has to be changed first.

Examples:
  holdfast trigger churn-prevention --cluster
  holdfast trigger churn-prevention -n shop --context kind-dev --wait
  holdfast trigger churn-prevention --slot 2026-11-23T02:00:00Z --dry-run --cluster
  holdfast trigger churn-prevention --pipeline prune --cluster -o json | jq -r .run`,
    )
    .action(async (program, options, command) =>
      ended(await (await import('./commands/trigger.ts')).trigger(program, placed(options, command), io)),
    );

  place(
    holdfast
      .command('cancel')
      .description('end a run on a cluster for good, unless its last task is done; nothing of it is published')
      .argument('<run>', 'name of the RetentionRun')
      .option('--wait', 'until it has ended')
      .addOption(output),
  )
    .addHelpText(
      'after',
      `${PLACE}

Examples:
  holdfast cancel churn-prevention-20261123t0200z --cluster
  holdfast cancel churn-prevention-20261123t0200z-manual-1 -n shop --context kind-dev --wait`,
    )
    .action(async (run, options, command) =>
      ended(await (await import('./commands/cancel.ts')).cancel(run, placed(options, command), io)),
    );

  place(
    holdfast
      .command('retry')
      .description('do a run again that did not succeed, for its slot, and reuse the stages that it had done')
      .argument('<run>', 'name of the run, as `holdfast runs` or `holdfast status` lists it')
      .addOption(
        completedWith(
          new Option(
            '--from-stage <stage>',
            'the first stage to do again (default: the first that the run has not done)',
          ),
          Object.values(pipelines).flatMap(({ stages }) => stages.map(({ name }) => name)),
        ),
      )
      .option('--wait', 'on a cluster: follow the run to its end')
      .option('--program <id>', 'in a data folder: programId, where runs of several programs have that name')
      .option('--now <instant>', 'in a data folder: set the clock, as in 2026-11-23T02:00:00Z (default: now)')
      .option('--shards <n>', 'in a data folder: score in this many processes; the result is the same (default: 1)')
      .addOption(output),
  )
    .addHelpText(
      'after',
      `
The retry does what the run was pinned to, in a data folder with the files that it read; where the program or its manifest has
changed since, that is said, and \`trigger\`, or \`holdfast run\`, does what it says now. What is reused is checked, byte for
byte: of what is gone, was changed, or was made by another version, the stage is done again, and so is every stage after it.
Nothing is reused once a batch of an earlier slot was published or discarded, since caps count by them.
${PLACE}

Examples:
  holdfast runs                                                      which run failed, and why
  holdfast retry churn-prevention-20261123t020000z-4
  holdfast retry churn-prevention-20261123t020000z-4 --from-stage extract    the source was mended: read it again
  holdfast retry churn-prevention-20261123t0200z --cluster -n shop --wait`,
    )
    .action(async (run, options, command) =>
      ended(await (await import('./commands/retry.ts')).retry(run, placed(options, command), io)),
    );

  place(
    holdfast
      .command('backfill')
      .description('run a program for slots of the past; none of them becomes the current batch')
      .argument('<program>', 'a manifest, or the programId of one that has run here; on a cluster the RetentionProgram')
      .requiredOption('--from <day>', 'first slot: a day of the schedule, or an instant')
      .requiredOption('--to <day>', 'last slot')
      .option('--max <n>', 'more slots than that are refused, 1 to 60', '10')
      .addOption(
        new Option('--pipeline <name>', 'what to run, on a cluster')
          .choices(Object.keys(pipelines))
          .default(PUBLISHING),
      )
      .option(
        '--source <connector=path>',
        'in a data folder: read another file; {date} is the day of the slot',
        collect,
        [],
      )
      .option('--present-data', 'in a data folder: read sources as they are now, though they do not know of then')
      .option('--again', 'in a data folder: also slots whose batch succeeded before')
      .option('--customers <n>', 'in a data folder: size of the sample warehouse')
      .option('--shards <n>', 'in a data folder: score in this many processes')
      .option('--now <instant>', 'in a data folder: set the clock')
      .addOption(output),
  )
    .addHelpText(
      'after',
      `
The slots are those of the schedule from one day to the other, both included, each made once however often it is asked for.
They go one after the other, the oldest first; on a cluster when nothing else is due. A slot that is yet to come is refused.

In a data folder it ends at the first slot that does not succeed, or with Ctrl-C; the same command goes on with what is left. A
query reads its source as it is now: for slots before the newest give the export of each day by {date}, or say --present-data.
${PLACE}

Examples:
  holdfast backfill examples/churn-prevention.yaml --from 2026-10-05 --to 2026-11-02
  holdfast backfill program.yaml --from 2026-10-05 --to 2026-11-02 --source 'shop=exports/{date}/customers.csv'
  holdfast backfill churn-prevention --from 2026-10-05 --to 2026-11-02 --cluster
  holdfast backfill churn-prevention --from 2026-01-05 --to 2026-11-02 --max 60 -n shop --context kind-dev -o json`,
    )
    .action(async (program, options, command) =>
      ended(await (await import('./commands/backfill.ts')).backfill(program, placed(options, command), io)),
    );
}

/** What a shell offers as the values of an option; the command itself says more of a wrong one. */
function completedWith(option: Option, values: readonly string[]): Option {
  option.argChoices = [...new Set(values)];
  return option;
}

function collect(value: string, earlier: string[]): string[] {
  return [...earlier, value];
}
