import { resolve } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { connectionVariable, MOST_SHARDS, type RetentionProgramSpec } from '../../crds/index.ts';
import { PROVIDERS } from '../../providers/registry.ts';
import { isServer } from '../../providers/warehouses/index.ts';
import type { Io } from '../io.ts';

const FEWEST_CUSTOMERS = 100;
const MOST_CUSTOMERS = 10_000_000;

export function customersOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const customers = Number(text.replaceAll('_', ''));
  if (!/^[\d_]+$/.test(text) || customers < FEWEST_CUSTOMERS || customers > MOST_CUSTOMERS) {
    throw new HoldfastError(
      'HF_USAGE',
      `--customers ${text}: give a whole number from ${FEWEST_CUSTOMERS} to ${MOST_CUSTOMERS}`,
    );
  }
  return customers;
}

export function shardsOf(text = '1'): number {
  const shards = Number(text);
  if (/^\d+$/.test(text) && shards >= 1 && shards <= MOST_SHARDS) return shards;
  throw new HoldfastError('HF_USAGE', `--shards ${text}: give a whole number from 1 to ${MOST_SHARDS}`);
}

/**
 * Where connectors read: files, from the environment or from `--source`, which wins, in place of their `path`; and the
 * connections of servers, from the environment only.
 */
export function sourcesOf(
  program: RetentionProgramSpec,
  given: readonly string[],
  environment: Io['environment'],
  providers: Io['providers'] = PROVIDERS,
): Record<string, string> {
  const known = program.dataConnectors.map(({ connectorId }) => connectorId);
  const servers = new Set(
    program.dataConnectors
      .filter((connector) => isServer(connector, providers.warehouses))
      .map(({ connectorId }) => connectorId),
  );
  const sources: Record<string, string> = {};
  for (const connector of known) {
    if (servers.has(connector)) {
      const connection = environment[connectionVariable(connector)];
      if (connection !== undefined && connection !== '') sources[connector] = connection;
      continue;
    }
    const path = environment[`HOLDFAST_SOURCE_${connector.toUpperCase().replaceAll('-', '_')}`];
    if (path !== undefined && path !== '') sources[connector] = resolve(path);
  }
  for (const one of given) {
    const [, connector = '', path] = /^([^=]+)=(.+)$/.exec(one) ?? [];
    if (servers.has(connector) || /^[^=]*=?postgres(ql)?:/i.test(one)) {
      // It may hold a password: it is not repeated, and everybody on this machine can see it already.
      const variable = connectionVariable(known.includes(connector) ? connector : 'connector');
      throw new HoldfastError(
        'HF_USAGE',
        `--source takes files only: give the connection of a server by the environment, as ${variable}=postgres://…`,
      );
    }
    if (path === undefined || !known.includes(connector)) {
      throw new HoldfastError(
        'HF_USAGE',
        `--source ${one}: give CONNECTOR=PATH; the connectors are ${known.join(', ')}`,
      );
    }
    sources[connector] = resolve(path);
  }
  return sources;
}
