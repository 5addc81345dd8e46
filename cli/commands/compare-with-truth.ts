import { availableParallelism } from 'node:os';
import { openEngine } from '../../base/duckdb/engine.ts';
import { wilson } from '../../base/math/reliability.ts';
import { told } from '../../contract/warning.ts';
import { sampleWarehouse } from '../../providers/warehouses/duckdb/sample-file.ts';
import { truthOf } from '../../providers/warehouses/sample/sample.ts';
import { type Belief, compareWithTruth } from '../../providers/warehouses/sample/scores-beside-truth.ts';
import type { LocalRun, LocalRunResult } from '../local/local-run.ts';
import { integer } from '../terminal/figures.ts';

type Ran = Pick<LocalRun, 'program' | 'sources' | 'sampleFolder' | 'sampleCustomers' | 'slot' | 'scratchFolder'>;

/**
 * The result of a run with, beside it, what the sample business knows of the customers that were scored. As it is
 * when the run failed, or when anything but one sample was read: of a real business nobody knows this.
 */
export async function withTruth(result: LocalRunResult, run: Ran, signal: AbortSignal): Promise<LocalRunResult> {
  const [connector, ...others] = run.program.dataConnectors;
  const { score } = result.artifacts;
  const sample = connector?.config.sample;
  if (sample === undefined || others.length > 0 || run.sources[connector?.connectorId ?? ''] !== undefined)
    return result;
  if (result.failure !== undefined || score === undefined) return result;
  const { sampleFolder, sampleCustomers, scratchFolder } = run;
  const resources = { threads: availableParallelism(), memoryMb: 512 };
  try {
    const options = { sampleFolder, sampleCustomers, asOf: run.slot, scratchFolder, resources, signal };
    const warehouse = await sampleWarehouse(sample, options);
    await using engine = await openEngine({ ...resources, scratchFolder });
    const truth = await compareWithTruth(engine, score, { warehouse, truth: truthOf(warehouse) });
    return { ...result, report: { ...result.report, truth } };
  } catch (error) {
    // The batch is published, whatever becomes of this.
    const why = error instanceof Error ? error.message : String(error);
    return {
      ...result,
      warnings: [
        ...result.warnings,
        ...told('TRUTH_NOT_COMPARED', [`The scores were not compared with the sample's truth: ${why}`]),
      ],
    };
  }
}

/** Characters of a bar from 0 to 1. */
const BAR = 20;

/** Label, figure and text of each line that holds the scores against the truth. */
export function beliefLines({
  levels,
  auc,
}: Belief): readonly (readonly [label: string, figure: string, text: string])[] {
  return [
    ['belief', 'said', '(│) and what happens without an offer (▇), which a made-up business knows:'],
    ...levels.map(({ level, customers, said, happened }) => {
      // One customer who stayed is no proof that nobody leaves.
      const [low, high] = wilson(Math.round(happened * customers), customers);
      const margin = Math.max(happened - low, high - happened);
      const rest = `${reliability(said, happened)}  ${share(happened)} ± ${share(margin)} leave, of ${integer(customers)}`;
      return [level, share(said), rest] as const;
    }),
    [
      'AUC',
      area(auc.model),
      `oracle ${area(auc.oracle)}   last login alone ${area(auc.lastLogin)}   last purchase alone ${area(auc.lastPurchase)}`,
    ],
  ];
}

/** What happened as a bar, with a mark where the model said it would end. */
function reliability(said: number, happened: number): string {
  const cells: string[] = Array.from({ length: BAR }, (_, cell) => ((cell + 0.5) / BAR < happened ? '▇' : '·'));
  cells[Math.min(BAR - 1, Math.floor(said * BAR))] = '│';
  return cells.join('');
}

const share = (value: number) => value.toFixed(2);
const area = (value: number | null) => (value === null ? '–' : value.toFixed(2));
