import { Environment } from '@marcbachmann/cel-js';

/**
 * Values as CEL sees them: integers are bigint, doubles number, instants Date, so that `1` and `1.0` differ as they do
 * in Kubernetes.
 */
export type CelValue =
  | string
  | boolean
  | number
  | bigint
  | Date
  | null
  | readonly CelValue[]
  | { readonly [key: string]: CelValue };

/** A rule of a schema, compiled. */
export interface CompiledRule {
  /** Whether it speaks of the old value, and so only applies to updates. */
  readonly isTransition: boolean;
  /** Evaluates; throws when the rule itself fails, which counts as refusal. */
  readonly evaluate: (self: CelValue, oldSelf?: CelValue) => unknown;
}

/**
 * Compiles a rule (or message expression) of `x-kubernetes-validations`, written in the part of CEL that
 * Kubernetes and this evaluator share.
 * @throws when it cannot be parsed, which is a defect of the schema
 */
export function compileRule(rule: string): CompiledRule {
  const known = compiled.get(rule);
  if (known !== undefined) return known;
  const fresh = compile(rule);
  compiled.set(rule, fresh);
  return fresh;
}

/** The rules of our own schemas are few, and each is applied to every entry of a list. */
const compiled = new Map<string, CompiledRule>();

function compile(rule: string): CompiledRule {
  const environment = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: true });
  // Kubernetes has it, the evaluator has not.
  environment.registerFunction('list.sum(): dyn', (list: bigint[]) => list.reduce((sum, one) => sum + one, 0n));
  const program = environment.parse(rule);
  return {
    isTransition: /\boldSelf\b/.test(rule),
    evaluate: (self, oldSelf) => program(oldSelf === undefined ? { self } : { self, oldSelf }),
  };
}
