import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REVISION_FILE } from '../../contract/revision.ts';
import { isName } from './key.ts';
import { MANIFEST, readManifest } from './manifest.ts';

/** What the folder of a run holds. */
export interface RunFolder {
  /** Bytes of its files that no other run shares: what deleting it frees. */
  readonly bytes: number;
  /** When anything in it was last written, by the clock of its file system. */
  readonly newest: Date;
  /** Path, within the folder, of something that is not ours: a link, a device, a file that no stage wrote. */
  readonly foreign?: string;
  /** Database that knows the run, as its first task noted it. */
  readonly database?: string;
}

/** What a run keeps beside the folders of its stages. */
const RUN_FILES = new Set([REVISION_FILE, 'origin.json', 'owner.json']);
/** An artifact by its attempt, a part saved from a failed one, a draft, a draft that stepped aside. */
const ATTEMPT = /^(\d+|\d+\.failed|\.\d+\.draft-[A-Za-z0-9]{6}(-old)?)$/;

/** Walks the folder of a run, down to every file, and follows no link. What goes away meanwhile is not counted. */
export async function inspectRunFolder(folder: string): Promise<RunFolder> {
  const walk = new Walk(folder);
  await walk.run();
  return walk.result();
}

class Walk {
  readonly #root: string;
  #bytes = 0;
  #newest = 0;
  #foreign: string | undefined;

  constructor(root: string) {
    this.#root = root;
  }

  result(): RunFolder {
    const found = { bytes: this.#bytes, newest: new Date(this.#newest) };
    return this.#foreign === undefined ? found : { ...found, foreign: this.#foreign };
  }

  async run(): Promise<void> {
    for (const entry of await this.#entries('')) {
      if (entry.isDirectory() && isName(entry.name)) await this.#stage(entry.name);
      else await this.#file(entry, '', (name) => RUN_FILES.has(name));
    }
  }

  async #stage(stage: string): Promise<void> {
    for (const entry of await this.#entries(stage)) {
      const path = join(stage, entry.name);
      if (entry.isDirectory() && ATTEMPT.test(entry.name)) await this.#attempt(path);
      else this.#foreign ??= path;
    }
  }

  async #attempt(attempt: string): Promise<void> {
    const parts = await this.#partsOf(attempt);
    for (const entry of await this.#entries(attempt)) {
      await this.#file(entry, attempt, (name) => parts === undefined || parts.has(name));
    }
  }

  /** Files of a committed artifact; undefined for what was not committed, where a stage may have written any. */
  async #partsOf(attempt: string): Promise<ReadonlySet<string> | undefined> {
    try {
      const path = join(this.#root, attempt, MANIFEST);
      if (!(await lstat(path)).isFile()) return undefined;
      const { parts } = readManifest(await readFile(path), attempt);
      return new Set([MANIFEST, ...parts.map((part) => part.path)]);
    } catch {
      return undefined;
    }
  }

  async #entries(path: string): Promise<readonly Dirent[]> {
    const folder = join(this.#root, path);
    const status = await present(lstat(folder));
    if (status === undefined) return [];
    this.#see(status);
    return (await present(readdir(folder, { withFileTypes: true }))) ?? [];
  }

  async #file(entry: Dirent, folder: string, isOurs: (name: string) => boolean): Promise<void> {
    const path = join(folder, entry.name);
    const status = await present(lstat(join(this.#root, path)));
    if (status === undefined) return;
    if (!status.isFile() || !isOurs(entry.name)) this.#foreign ??= path;
    this.#see(status);
    this.#bytes += status.isFile() && status.nlink === 1 ? status.size : 0;
  }

  #see({ mtimeMs }: Stats): void {
    this.#newest = Math.max(this.#newest, mtimeMs);
  }
}

async function present<Found>(look: Promise<Found>): Promise<Found | undefined> {
  try {
    return await look;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
