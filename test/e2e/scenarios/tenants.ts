/** Namespaces that the operator is told to watch. */
export const TENANTS = [
  'shop',
  'calendar',
  'storm',
  'control',
  'verbs',
  'deletion',
  'broken',
  'frugal',
  'foreign',
] as const;
