/** Numbers that a stage reports; at most one level deep. */
export type Counts = Readonly<Record<string, number | Readonly<Record<string, number>>>>;
