import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Message, MessageReader } from './messages.ts';

/** When to strike: at which of the statements that come by, and on which side of it. */
export interface Strike {
  /** Counted from 0 over all connections. */
  readonly index: number;
  /** Before the server has seen the statement, or once it has answered and before the client knows. */
  readonly side: 'before' | 'after';
  /** Called once; what the client sends and is sent meanwhile waits. */
  hit(connection: Connection): Promise<void>;
}

/** A connection that goes through. */
export interface Connection {
  /** Both ends at once, without a word. */
  cut(): void;
}

/** Stands between Holdfast and Postgres and knows each statement that goes by. */
export interface Proxy extends AsyncDisposable {
  /** What came by so far, in order. */
  readonly events: readonly string[];
  /** Whether the strike has come. */
  readonly struck: boolean;
}

/** Listens on a socket in one folder, and passes on to the one in another. */
export async function startProxy(listenFolder: string, serverFolder: string, strike?: Strike): Promise<Proxy> {
  const events: string[] = [];
  const connections = new Set<() => void>();
  let struck = false;
  const path = join(listenFolder, '.s.PGSQL.5432');
  await rm(path, { force: true });

  const listener = createServer((client) => {
    const server = createConnection(join(serverFolder, '.s.PGSQL.5432'));
    const cut = () => {
      connections.delete(cut);
      client.destroy();
      server.destroy();
    };
    connections.add(cut);
    for (const end of [client, server]) {
      end.on('error', cut);
      end.on('close', cut);
    }
    relay(client, server, cut);
  });

  /** Everything in the order in which it came, one piece at a time. */
  function relay(client: Socket, server: Socket, cut: () => void): void {
    const reader = new MessageReader();
    let armed = false;
    let turn = Promise.resolve();
    const queue = (work: () => Promise<void>) => {
      turn = turn.then(work).catch(cut);
    };
    const hit = async () => {
      struck = true;
      await strike?.hit({ cut });
    };
    const pass = async ({ bytes, event }: Message) => {
      const isStruck = event !== undefined && strike?.index === events.length && !struck;
      if (event !== undefined) events.push(event);
      if (isStruck && strike.side === 'before') await hit();
      if (isStruck && strike.side === 'after') armed = true;
      await write(server, bytes);
      // Of a piece of a COPY the server says nothing.
      if (armed && event === 'CopyData') {
        armed = false;
        await hit();
      }
    };
    client.on('data', (bytes: Buffer) => {
      for (const message of reader.read(bytes)) queue(() => pass(message));
    });
    server.on('data', (bytes: Buffer) => {
      if (!armed) return void client.write(bytes);
      armed = false;
      queue(async () => {
        await hit();
        client.write(bytes);
      });
    });
  }

  listener.listen(path);
  await once(listener, 'listening');
  return {
    events,
    get struck() {
      return struck;
    },
    async [Symbol.asyncDispose]() {
      const closed = once(listener, 'close');
      listener.close();
      for (const cut of connections) cut();
      await closed;
    },
  };
}

async function write(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}
