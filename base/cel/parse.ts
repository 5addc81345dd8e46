import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { HoldfastError } from '../errors.ts';

/** A node of a parsed expression; `start` and `end` are offsets into the text. */
export type CelNode = ASTNode;

/** Longest expression that is read, in UTF-16 code units. */
export const MAX_EXPRESSION_LENGTH = 4096;

/** Bounds that keep a hostile expression from exhausting the stack or the memory. */
const LIMITS = { maxAstNodes: 1000, maxDepth: 32, maxListElements: 256, maxMapEntries: 16, maxCallArguments: 8 };

/**
 * Parses an expression in the Common Expression Language, without evaluating anything.
 * @throws HF_EXPRESSION_INVALID with the position, counted in characters from 1
 */
export function parseCel(text: string): { readonly ast: CelNode } {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    throw new HoldfastError(
      'HF_EXPRESSION_INVALID',
      `expression: ${text.length} characters, at most ${MAX_EXPRESSION_LENGTH} are read; split it into several filters`,
    );
  }
  try {
    return { ast: new Environment({ unlistedVariablesAreDyn: true, limits: LIMITS }).parse(text).ast };
  } catch (cause) {
    if (!(cause instanceof ParseError)) throw cause;
    const position = (cause.range?.start ?? 0) + 1;
    throw new HoldfastError('HF_EXPRESSION_INVALID', `expression, character ${position}: ${cause.summary}`, { cause });
  }
}
