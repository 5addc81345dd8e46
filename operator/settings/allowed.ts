/** What programs name objects of their namespace for, with what such an object is and where the chart has the names. */
export const USES = {
  database: { kind: 'Secret', value: 'allow.secrets.database' },
  connections: { kind: 'Secret', value: 'allow.secrets.connections' },
  tokens: { kind: 'Secret', value: 'allow.secrets.tokens' },
  keys: { kind: 'Secret', value: 'allow.secrets.keys' },
  artifacts: { kind: 'PersistentVolumeClaim', value: 'allow.claims.artifacts' },
  files: { kind: 'PersistentVolumeClaim', value: 'allow.claims.files' },
  configMaps: { kind: 'ConfigMap', value: 'allow.configMaps' },
  serviceAccounts: { kind: 'ServiceAccount', value: 'allow.serviceAccounts' },
} as const;

export type Use = keyof typeof USES;

/** Names that programs may use, by what for; one that ends in `*` stands for all that begin so. */
export type AllowedNames = Readonly<Record<Use, readonly string[]>>;

/** Environment variable with the names of one use, such as `HOLDFAST_ALLOWED_SERVICE_ACCOUNTS`. */
function variable(use: Use): string {
  return `HOLDFAST_ALLOWED_${use.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** Nothing, where the environment says nothing. */
export function readAllowedNames(value: (name: string) => string | undefined): AllowedNames {
  const names = (use: Use) => (value(variable(use)) ?? '').split(/\s+/).filter((entry) => entry !== '');
  return Object.fromEntries(Object.keys(USES).map((use) => [use, names(use as Use)])) as unknown as AllowedNames;
}

export function isAllowed(name: string, entries: readonly string[]): boolean {
  return entries.some((entry) => (entry.endsWith('*') ? name.startsWith(entry.slice(0, -1)) : name === entry));
}
