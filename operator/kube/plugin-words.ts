/** As short a value is not hidden: it would hide half the words there are. */
const SHORTEST = 6;

/** What stands in place of a secret. */
const HIDDEN = '***';

/** How credentials look wherever they turn up: a JWT, a token of EKS, what follows "Bearer" or a name such as "token:". */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\beyJ[\w-]{8,}(\.[\w-]*){0,4}/g, HIDDEN],
  [/\bk8s-aws-v1\.[\w-]+/g, HIDDEN],
  [/\b(Bearer|Basic) [^\s"']{6,}/gi, `$1 ${HIDDEN}`],
  [/((?:token|secret|password|client-?key-?data)["']?\s*[:=]\s*["']?)(?=[^\s"']*\d)[^\s"']{6,}/gi, `$1${HIDDEN}`],
];

/** A text that a login printed, without what looks like a secret and without the values given. */
export function withoutSecrets(text: string, values: readonly string[]): string {
  const hidden = values
    .filter((value) => value.length >= SHORTEST)
    .reduce((rest, value) => rest.replaceAll(value, HIDDEN), text);
  return SECRETS.reduce((rest, [pattern, by]) => rest.replaceAll(pattern, by), hidden);
}

/** A word as long as that, which a chunk ends in, may go on in the next and be a secret. */
const UNFINISHED = /\S{20,}$/;

/**
 * What a login says as it says it, a prompt without a line's end as well, but for secrets.
 * @param values secrets that are known, such as of the environment that the kubeconfig gives it
 * @param tell gets the text
 */
export function tellWithoutSecrets(
  values: readonly string[],
  tell: (text: string) => void,
): { add(chunk: string): void; end(): void } {
  let kept = '';
  const say = (text: string) => text !== '' && tell(withoutSecrets(text, values));
  return {
    add(chunk) {
      const text = kept + chunk;
      kept = UNFINISHED.exec(text)?.[0] ?? '';
      say(text.slice(0, text.length - kept.length));
    },
    end() {
      say(kept);
      kept = '';
    },
  };
}
