import { operatorMetrics } from '../cluster/operator-metrics.ts';
import type { OperatorProcess } from '../cluster/operator-process.ts';

/** A metric as the operator tells it. */
export async function metric({ port }: OperatorProcess, name: string): Promise<number> {
  const value = (await operatorMetrics(port))[name];
  if (value === undefined) throw new Error(`the operator has no metric ${name}`);
  return value;
}

export async function residentMb(operator: OperatorProcess): Promise<number> {
  return Math.round((await metric(operator, 'process_resident_memory_bytes')) / 2 ** 20);
}

export async function leads(operator: OperatorProcess): Promise<boolean> {
  return (await metric(operator, 'holdfast_operator_leading')) === 1;
}

export async function isReady({ port }: OperatorProcess): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
}
