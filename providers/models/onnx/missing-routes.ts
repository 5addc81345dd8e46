import { NotTrees } from '../trees/ensemble.ts';
import { scoreMargin } from '../trees/margin.ts';
import { readGraph } from './graph.ts';
import { MalformedModel } from './protobuf.ts';

/**
 * Whether a model is trees that see missing values and send them all to the false branch: what a conversion leaves
 * behind that does not know where the training sent them, though a model may also have learned that.
 * @param width features of a row
 */
export function losesMissingRoutes(bytes: Uint8Array, width: number): boolean {
  try {
    const { ensemble, fill } = scoreMargin(readGraph(bytes), width);
    const splits = ensemble.trees.some(({ feature }) => feature.length > 1);
    return (
      splits && fill === undefined && ensemble.trees.every(({ missingIsYes }) => missingIsYes.every((yes) => yes === 0))
    );
  } catch (error) {
    if (error instanceof NotTrees || error instanceof MalformedModel) return false;
    throw error;
  }
}
