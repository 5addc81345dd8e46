/**
 * The numbers that an operator tells at /metrics, by name.
 * @throws Error when it does not answer
 */
export async function operatorMetrics(port: number, signal?: AbortSignal): Promise<Readonly<Record<string, number>>> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, signal === undefined ? {} : { signal });
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => [line.split(' ')[0] as string, Number(line.split(' ')[1])]));
}
