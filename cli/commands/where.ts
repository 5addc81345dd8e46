import { statSync } from 'node:fs';
import { HoldfastError } from '../../base/errors.ts';
import { forShell, printable } from '../../base/text/printable.ts';
import { chooseWhere, saysCluster, type Where, type WhereOptions } from '../cluster/where.ts';
import type { Io } from '../io.ts';
import { dataFolder, isDataFolder } from '../local/data-folder.ts';

/** The options that lead to the same cluster and namespace again, for a command that is printed. */
export function sameCluster(options: WhereOptions, io: Io): string {
  const { namespace, context, kubeconfig } = options;
  const named = { '-n': namespace, '--context': context, '--kubeconfig': kubeconfig };
  const words = Object.entries(named).flatMap(([flag, value]) => (value === undefined ? [] : [flag, forShell(value)]));
  const isClear = saysCluster({ ...options, cluster: false }, io);
  return [...words, ...(isClear ? [] : ['--cluster'])].join(' ');
}

/** Options of a command that works on a cluster as well as on a data folder. */
export interface PlaceOptions extends WhereOptions {
  readonly data: string;
  /** Whether `--data` is in the command itself. */
  readonly dataIsGiven: boolean;
}

/**
 * The cluster for a command that is about clusters alone.
 * @param instead what to do in a data folder
 * @throws HF_CLUSTER_ONLY, and as `chooseWhere`
 */
export function requireCluster(options: PlaceOptions, instead: string, io: Io): Where & { readonly in: 'cluster' } {
  const where = whereOf(options, io);
  if (where.in === 'cluster') return where;
  const { path } = dataFolder(options.data);
  throw new HoldfastError(
    'HF_CLUSTER_ONLY',
    `this is done in a cluster (give --cluster, or --context NAME); in the data folder ${path} ${instead}`,
  );
}

/**
 * Refuses options that are about a data folder.
 * @param options by flag; undefined where it is not given
 * @throws HF_USAGE
 */
export function refuseOnCluster(options: Readonly<Record<string, string | boolean | undefined>>): void {
  const [given] = Object.entries(options).filter(([, value]) => value !== undefined);
  if (given === undefined) return;
  throw new HoldfastError('HF_USAGE', `${given[0]} is for a data folder, and this is done in a cluster`);
}

/**
 * Where a command is to look, from its options and what there is here.
 * @throws as `chooseWhere`
 */
export function whereOf(options: PlaceOptions, io: Io): Where {
  const folder = dataFolder(options.data);
  const isExternal = io.environment['DATABASE_URL'] !== undefined;
  const hasState = isExternal || isDataFolder(folder);
  const where = chooseWhere(options, {
    environment: io.environment,
    dataIsGiven: options.dataIsGiven,
    hasState,
    isFile: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  });
  // Of a cluster it is said where it is opened.
  if (where.in === 'data folder' && hasState && !options.dataIsGiven) {
    const place = isExternal ? 'the Postgres of DATABASE_URL' : `the data folder ${folder.path}`;
    io.stderr.write(`${printable(`in ${place}`)}\n`);
  }
  return where;
}
