/** A message of a client of Postgres, as the protocol frames it. */
export interface Message {
  readonly bytes: Buffer;
  /** What it asks for, such as `COMMIT` or `CopyData`; undefined for what only goes along with another. */
  readonly event: string | undefined;
}

/** Cuts a stream of bytes into messages; the first message of a connection has no type. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  #started = false;

  /** The messages that are complete with these bytes. */
  read(bytes: Buffer): Message[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: Message[] = [];
    for (;;) {
      const header = this.#started ? 1 : 0;
      if (this.#rest.length < header + 4) return messages;
      const length = header + this.#rest.readUInt32BE(header);
      if (this.#rest.length < length) return messages;
      const message = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      messages.push({ bytes: message, event: this.#started ? eventOf(message) : 'connect' });
      this.#started = true;
    }
  }
}

/** Long enough to tell statements apart. */
const LONGEST_NAME = 60;

function eventOf(message: Buffer): string | undefined {
  switch (String.fromCharCode(message[0] ?? 0)) {
    case 'Q':
      return statement(message.toString('utf8', 5));
    case 'P':
      // The name of the prepared statement comes first; ours have none.
      return statement(message.toString('utf8', message.indexOf(0, 5) + 1));
    case 'd':
      return 'CopyData';
    case 'c':
      return 'CopyDone';
    default:
      return undefined;
  }
}

function statement(text: string): string {
  const [sql = ''] = text.split('\0', 1);
  return sql.trim().replaceAll(/\s+/g, ' ').slice(0, LONGEST_NAME);
}
