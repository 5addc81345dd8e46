/** Environment variable that holds the connection of a connector, such as `HOLDFAST_CONNECTION_CRM`. */
export function connectionVariable(connectorId: string): string {
  return `HOLDFAST_CONNECTION_${connectorId.toUpperCase().replaceAll('-', '_')}`;
}
