import { MalformedModel, Reader } from './protobuf.ts';

/** What a model is made of, read from its bytes alone. */
export interface OnnxSummary {
  /** The program that made it. */
  readonly producer: string;
  /** How often each operator occurs in the graph, those in subgraphs left out; the most frequent first. */
  readonly operators: Readonly<Record<string, number>>;
}

const PRODUCER_NAME = 2;
const GRAPH = 7;
const GRAPH_NODE = 1;
const NODE_OPERATOR = 4;

/** Summarises a model; undefined when the bytes are none. */
export function summariseOnnx(bytes: Uint8Array): OnnxSummary | undefined {
  const counts = new Map<string, number>();
  let producer = '';
  try {
    each(new Reader(bytes, 0, bytes.length), (number, body) => {
      if (number === PRODUCER_NAME) producer = body.text();
      if (number !== GRAPH) return;
      each(body, (inGraph, node) => {
        if (inGraph !== GRAPH_NODE) return;
        each(node, (inNode, text) => {
          if (inNode !== NODE_OPERATOR) return;
          const operator = text.text();
          counts.set(operator, (counts.get(operator) ?? 0) + 1);
        });
      });
    });
  } catch (error) {
    if (error instanceof MalformedModel) return undefined;
    throw error;
  }
  const ordered = [...counts].sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return { producer, operators: Object.fromEntries(ordered) };
}

function each(reader: Reader, visit: (number: number, body: Reader) => void): void {
  while (!reader.atEnd) {
    const { number, body } = reader.field();
    if (body !== undefined) visit(number, body);
  }
}
