/** Name of a run: its program, slot and sequence, as in `churn-prevention-20261123t020000z-1`. */
export function runName(program: string, slot: Date, sequence: number): string {
  const instant = slot
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  return `${program}-${instant}-${sequence}`;
}

/** Under which a shard's artifact lies beside that of its stage, as in `score-0-of-4`. */
export function shardName(stage: string, { index, count }: { readonly index: number; readonly count: number }): string {
  return `${stage}-${index}-of-${count}`;
}
