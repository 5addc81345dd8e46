/** Name of a run: its program, slot and sequence, as in `churn-prevention-20261123t020000z-1`. */
export function runName(program: string, slot: Date, sequence: number): string {
  const instant = slot
    .toISOString()
    .replaceAll(/[-:]|\.\d+/g, '')
    .toLowerCase();
  return `${program}-${instant}-${sequence}`;
}
