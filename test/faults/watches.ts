import type { IncomingMessage, ServerResponse } from 'node:http';
import { lines } from '../../operator/kube/lines.ts';
import type { Interference, WatchStream } from './interference.ts';

/** Watches that pass through. */
export interface Watches {
  /** Passes a watch on, line by line, until one of its sides ends it. */
  carry(resource: string, from: IncomingMessage, to: ServerResponse): Promise<void>;
  /** Those that are open now, of one resource or of all. */
  open(resource?: string): readonly WatchStream[];
  /** How many the API server has refused with that status, or ended with an error of it. */
  refused(status: number): number;
}

export function openWatches(interference: () => Interference): Watches {
  const streams = new Set<WatchStream>();
  const refusals: number[] = [];
  const counts = new Map<string, number>();

  return {
    refused: (status) => refusals.filter((one) => one === status).length,
    open: (resource) => [...streams].filter((stream) => resource === undefined || stream.resource === resource),
    async carry(resource, from, to) {
      let muted = false;
      let over = to.destroyed;
      const stream: WatchStream = {
        resource,
        send(line) {
          if (!muted && !over) to.write(`${line}\n`);
        },
        end() {
          over = true;
          to.end();
        },
        cut() {
          over = true;
          to.destroy();
        },
        mute() {
          muted = true;
        },
      };
      if (from.statusCode !== 200) {
        refusals.push(from.statusCode ?? 0);
        to.writeHead(from.statusCode ?? 0, { 'content-type': from.headers['content-type'] ?? 'application/json' });
        from.pipe(to);
        return;
      }
      streams.add(stream);
      to.once('close', () => streams.delete(stream));
      const isOver = (): boolean => over || to.destroyed;
      try {
        to.writeHead(200, { 'content-type': from.headers['content-type'] ?? 'application/json' });
        to.flushHeaders();
        for await (const line of lines(from)) {
          if (isOver()) break;
          const type = typeOf(line);
          if (type === 'ERROR') refusals.push((JSON.parse(line) as { object: { code: number } }).object.code);
          if (type === 'BOOKMARK' || type === 'ERROR') {
            stream.send(line);
            continue;
          }
          const key = `${resource} ${type}`;
          const number = (counts.get(key) ?? 0) + 1;
          counts.set(key, number);
          const event = { resource, type, number, line };
          await (interference().event?.(event, stream) ?? stream.send(line));
        }
        if (!isOver() && !muted) to.end();
      } catch {
        // What broke on that side breaks on this one, unless nobody is to hear of it.
        if (!muted) to.destroy();
      }
    },
  };
}

/** The type stands first in the line; the object may be large. */
function typeOf(line: string): string {
  return /^\{"type":"([A-Z]+)"/.exec(line)?.[1] ?? (JSON.parse(line) as { type: string }).type;
}
