/** Namespaces that the operator is told to watch. */
export const TENANTS = ['shop', 'calendar', 'storm', 'control', 'deletion', 'broken', 'frugal', 'foreign'] as const;
