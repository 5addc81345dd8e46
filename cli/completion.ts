import type { Command, Option } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';
/** What kubectl and the scripts ask with: not a command, since its words are those of another. */
export const ASK = '__complete';

export const SHELLS: readonly Shell[] = ['bash', 'zsh', 'fish'];

/** A command with the words that may follow it. */
interface Completed {
  /** Words that lead to it, without the program's own. */
  readonly path: readonly string[];
  readonly description: string;
  readonly commands: readonly string[];
  readonly options: readonly Option[];
  /** Values of its argument, where there are few. */
  readonly values: readonly string[];
  /** What its argument is the name of, on a cluster. */
  readonly names: NameOf | undefined;
}

/** What a cluster, or a kubeconfig, has names of. */
export type NameOf = 'program' | 'run' | 'namespace' | 'context';

/** Those that fit, or none where they cannot be had soon. @param before words of the command line before the one begun */
export type FindNames = (of: NameOf, before: readonly string[]) => Promise<readonly string[]>;

/**
 * A script that completes the commands, options and choices in a shell, from their own definition. Whatever else is asked
 * for, such as a file, is left to the shell.
 */
export function completionScript(holdfast: Command, shell: Shell): string {
  const all = completed(holdfast, []);
  switch (shell) {
    case 'bash':
      return bash(all);
    case 'zsh':
      return `#compdef holdfast\nautoload -U +X bashcompinit && bashcompinit\n${bash(all)}`;
    case 'fish':
      return fish(all);
  }
}

/**
 * What may follow on a command line, as kubectl asks a plugin: a line for each word, then whether files may follow as well.
 * The scripts of shells ask so for names.
 * @param words those after the program's own; the last is the one that is being typed
 */
export async function wordsToFollow(
  holdfast: Command,
  words: readonly string[],
  findNames: FindNames,
): Promise<string> {
  // Bash makes three words of --option=value.
  const [begun = '', ...before] = words.filter((word, index) => word !== '=' || index === 0).toReversed();
  const all = completed(holdfast, []);
  const at = before
    .toReversed()
    .reduce(
      (found, word) => all.find(({ path }) => path.join(' ') === [...found.path, word].join(' ')) ?? found,
      all.find(({ path }) => path.length === 0) as Completed,
    );
  const asked = at.options.find((option) => before[0] !== undefined && flagsOf(option).includes(before[0]));
  const isOption = begun.startsWith('-');
  const isValue = asked !== undefined && takesValue(asked);
  const named = isValue ? namedBy(asked, at) : isOption || hasArgument(before.toReversed(), at) ? undefined : at.names;
  const offered =
    named !== undefined
      ? (await findNames(named, before.toReversed())).filter((name) => PLAIN_NAME.test(name))
      : isValue
        ? (asked.argChoices ?? [])
        : isOption
          ? at.options.flatMap(flagsOf)
          : [...at.commands, ...at.values];
  const fitting = offered.filter((word) => word.startsWith(begun));
  return [...fitting, fitting.length > 0 ? NO_FILES : FILES_TOO].map((line) => `${line}\n`).join('');
}

/**
 * What every shell takes for itself. Bash and zsh expand each word that they are offered, so that of a kubeconfig, or a
 * cluster, that somebody else wrote a name such as `$(…)` would be run.
 */
const PLAIN_NAME = /^\w[\w.:/@+-]*$/;

const takesValue = ({ required, optional }: Option): boolean => required || optional;

/** Whether a command about clusters has its argument already. */
function hasArgument(before: readonly string[], { path, options }: Completed): boolean {
  const flags = new Set(options.filter(takesValue).flatMap(flagsOf));
  const rest = before.slice(path.length);
  return rest.some((word, index) => !word.startsWith('-') && !flags.has(rest[index - 1] ?? ''));
}

/** What the value of an option is the name of. */
function namedBy({ long }: Option, { options }: Pick<Completed, 'options'>): NameOf | undefined {
  if (!isAboutClusters(options)) return undefined;
  return long === '--namespace' ? 'namespace' : long === '--context' ? 'context' : long === '--run' ? 'run' : undefined;
}

const isAboutClusters = (options: readonly Option[]): boolean => options.some(({ long }) => long === '--cluster');

/** Cobra's directives to the shell. */
const NO_FILES = ':4';
const FILES_TOO = ':0';

const NAMED = ['program', 'run'] as const;

function completed(command: Command, path: readonly string[]): Completed[] {
  const { visibleCommands, visibleOptions } = helpOf(command);
  return [
    {
      path,
      description: command.description(),
      commands: visibleCommands.map((one) => one.name()),
      options: visibleOptions,
      values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
      names: isAboutClusters(visibleOptions)
        ? NAMED.find((one) => one === command.registeredArguments[0]?.name())
        : undefined,
    },
    ...command.commands.flatMap((one) => completed(one, [...path, one.name()])),
  ];
}

function helpOf(command: Command) {
  const help = command.createHelp();
  return { visibleCommands: help.visibleCommands(command), visibleOptions: help.visibleOptions(command) };
}

const flagsOf = ({ short, long }: Option): string[] => [short, long].filter((flag) => flag != null);

function bash(all: readonly Completed[]): string {
  const paths = all.filter(({ path }) => path.length > 0).map(({ path }) => quoted(` ${path.join(' ')}`));
  const words = all.map(({ path, commands, options, values, names }) => {
    const [offered, flags] = [[...commands, ...values], options.flatMap(flagsOf)].map((list) => quoted(list.join(' ')));
    const named = names === undefined ? '' : ' named=yes';
    return `    ${quoted(path.map((one) => ` ${one}`).join(''))}) words=${offered} options=${flags}${named} ;;`;
  });
  const choices = all.flatMap(({ path, options }) =>
    options.flatMap((option) => {
      const cases = flagsOf(option).map((flag) => quoted(`${path.map((one) => ` ${one}`).join('')}:${flag}`));
      const after = (words: string, named = '') => [`    ${cases.join('|')}) words=${quoted(words)} named=${named} ;;`];
      if (namedBy(option, { options }) !== undefined) return after('', 'yes');
      if (option.argChoices !== undefined) return after(option.argChoices.join(' '));
      return takesValue(option) ? after('') : [];
    }),
  );
  // Options only after a dash, as everywhere: else no file would be offered where one is asked for. In zsh `path` is the PATH.
  return `_holdfast() {
  local at='' words='' options='' begin='' named='' i
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}"
  # --option=value, which is one word in zsh and three in bash.
  case "$word" in
    --*=*) before="\${word%%=*}" begin="\${word%%=*}=" word="\${word#*=}" ;;
    =) word='' ;;
    *) if [[ $before == = ]]; then before="\${COMP_WORDS[COMP_CWORD - 2]}"; fi ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
    ${paths.join('|')}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${words.join('\n')}
  esac
  case "$word" in
    -*) words="$options" named='' ;;
  esac
  case "$at:$before" in
${choices.join('\n')}
  esac
  # Names of a cluster are asked for, which takes a moment, where nothing else can stand.
  if [[ $named == yes ]]; then
    local -a asked
    asked=("\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}")
    if [[ -n $begin ]]; then asked+=("$before"); fi
    words="$("\${COMP_WORDS[0]}" ${ASK} "\${asked[@]}" "$word" 2> /dev/null | grep -v '^:')"
  fi
  COMPREPLY=($(compgen -P "$begin" -W "$words" -- "$word"))
}
complete -o default -F _holdfast holdfast
`;
}

function fish(all: readonly Completed[]): string {
  const lines = all.flatMap(({ path, commands, options, values, names }) => {
    const last = path.at(-1);
    const when = last === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${last}`;
    const begin = `complete -c holdfast -n ${quoted(when)}`;
    const described = new Map(all.map((one) => [one.path.join(' '), one.description]));
    return [
      ...commands.map(
        (name) => `${begin} -a ${quoted(name)} -d ${quoted(described.get([...path, name].join(' ')) ?? '')}`,
      ),
      ...values.map((value) => `${begin} -a ${quoted(value)}`),
      ...(names === undefined ? [] : [`${begin} -a '(__holdfast_names)'`]),
      ...options.map((option) => {
        const names = [
          ...(option.short == null ? [] : [`-s ${option.short.slice(1)}`]),
          ...(option.long == null ? [] : [`-l ${option.long.slice(2)}`]),
        ];
        const value =
          namedBy(option, { options }) !== undefined
            ? [`-x -a '(__holdfast_names)'`]
            : option.argChoices !== undefined
              ? [`-x -a ${quoted(option.argChoices.join(' '))}`]
              : takesValue(option)
                ? ['-r']
                : [];
        return [begin, ...names, ...value, `-d ${quoted(option.description)}`].join(' ');
      }),
    ];
  });
  return `function __holdfast_names
  set -l words (commandline -opc)
  set -l word (commandline -ct)
  $words[1] ${ASK} $words[2..-1] "$word" 2> /dev/null | string match -v ':*'
end
${lines.join('\n')}
`;
}

/** A word as each of the three shells takes it; what no shell takes alike is not in our own words. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
