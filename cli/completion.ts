import type { Command, Option } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';
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
}

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
 * @param words those after the program's own; the last is the one that is being typed
 */
export function completionForKubectl(holdfast: Command, words: readonly string[]): string {
  const [begun = '', ...before] = words.toReversed();
  const all = completed(holdfast, []);
  const at = before
    .toReversed()
    .reduce(
      (found, word) => all.find(({ path }) => path.join(' ') === [...found.path, word].join(' ')) ?? found,
      all.find(({ path }) => path.length === 0) as Completed,
    );
  const asked = at.options.find((option) => before[0] !== undefined && flagsOf(option).includes(before[0]));
  const takesValue = asked !== undefined && (asked.required || asked.optional);
  const offered = takesValue
    ? (asked.argChoices ?? [])
    : begun.startsWith('-')
      ? at.options.flatMap(flagsOf)
      : [...at.commands, ...at.values];
  const fitting = offered.filter((word) => word.startsWith(begun));
  return [...fitting, fitting.length > 0 ? NO_FILES : FILES_TOO].map((line) => `${line}\n`).join('');
}

/** Cobra's directives to the shell. */
const NO_FILES = ':4';
const FILES_TOO = ':0';

function completed(command: Command, path: readonly string[]): Completed[] {
  const { visibleCommands, visibleOptions } = helpOf(command);
  return [
    {
      path,
      description: command.description(),
      commands: visibleCommands.map((one) => one.name()),
      options: visibleOptions,
      values: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
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
  const words = all.map(({ path, commands, options, values }) => {
    const [names, flags] = [[...commands, ...values], options.flatMap(flagsOf)].map((list) => quoted(list.join(' ')));
    return `    ${quoted(path.map((one) => ` ${one}`).join(''))}) words=${names} options=${flags} ;;`;
  });
  const choices = all.flatMap(({ path, options }) =>
    options.flatMap((option) => {
      const cases = flagsOf(option).map((flag) => quoted(`${path.map((one) => ` ${one}`).join('')}:${flag}`));
      const after = `    ${cases.join('|')}) words=`;
      if (option.argChoices !== undefined) return [`${after}${quoted(option.argChoices.join(' '))} ;;`];
      return option.required || option.optional ? [`${after}'' ;;`] : [];
    }),
  );
  // Options only after a dash, as everywhere: else no file would be offered where one is asked for.
  return `_holdfast() {
  local path='' words='' options='' begin='' i
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}"
  # --option=value, which is one word in zsh and three in bash.
  case "$word" in
    --*=*) before="\${word%%=*}" begin="\${word%%=*}=" word="\${word#*=}" ;;
    =) word='' ;;
    *) if [[ $before == = ]]; then before="\${COMP_WORDS[COMP_CWORD - 2]}"; fi ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
    ${paths.join('|')}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
${words.join('\n')}
  esac
  case "$word" in
    -*) words="$options" ;;
  esac
  case "$path:$before" in
${choices.join('\n')}
  esac
  COMPREPLY=($(compgen -P "$begin" -W "$words" -- "$word"))
}
complete -o default -F _holdfast holdfast
`;
}

function fish(all: readonly Completed[]): string {
  const lines = all.flatMap(({ path, commands, options, values }) => {
    const last = path.at(-1);
    const when = last === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${last}`;
    const begin = `complete -c holdfast -n ${quoted(when)}`;
    const described = new Map(all.map((one) => [one.path.join(' '), one.description]));
    return [
      ...commands.map(
        (name) => `${begin} -a ${quoted(name)} -d ${quoted(described.get([...path, name].join(' ')) ?? '')}`,
      ),
      ...values.map((value) => `${begin} -a ${quoted(value)}`),
      ...options.map((option) => {
        const names = [
          ...(option.short == null ? [] : [`-s ${option.short.slice(1)}`]),
          ...(option.long == null ? [] : [`-l ${option.long.slice(2)}`]),
        ];
        const value =
          option.argChoices !== undefined
            ? [`-x -a ${quoted(option.argChoices.join(' '))}`]
            : option.required || option.optional
              ? ['-r']
              : [];
        return [begin, ...names, ...value, `-d ${quoted(option.description)}`].join(' ');
      }),
    ];
  });
  return `${lines.join('\n')}\n`;
}

/** A word as each of the three shells takes it; what no shell takes alike is not in our own words. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
