import { Type } from 'typebox';
import { secretKey } from '../../../base/schema/fields.ts';
import type { Parameters } from '../../parameters.ts';
import type { ConnectorOf } from '../connector.ts';

/** How the server is reached on a cluster, and how long it may take. */
export const postgresParameters = {
  fields: {
    connectionSecretRef: Type.Optional(
      secretKey(
        'postgres, on a cluster: the secret with the connection URL. On a laptop it is in the environment, as ' +
          'HOLDFAST_CONNECTION_ and the connectorId in capitals.',
        'url',
      ),
    ),
    statementTimeoutSeconds: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 86_400,
        description: 'postgres: longest time of the query, from its start to its last row. Default: 1800.',
      }),
    ),
  },
} satisfies Parameters;

export type PostgresConnector = ConnectorOf<typeof postgresParameters>;
