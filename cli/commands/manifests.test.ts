import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Io } from '../io.ts';
import { readRunnable } from './manifests.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-runnable-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** What is said when a manifest like the minimal one, changed, is about to be run. */
async function said(change: (text: string) => string): Promise<{ said: string; refused?: string }> {
  const minimal = await readFile(path.join(import.meta.dirname, '../../test/manifests/good/minimal.yaml'), 'utf8');
  const file = path.join(folder, 'program.yaml');
  await writeFile(file, change(minimal));
  let lines = '';
  const io = { environment: {}, stderr: { write: (text: string) => (lines += text) } } as unknown as Io;
  const refused = await readRunnable(file, io, new Date('2026-11-23T02:00:00Z')).then(
    () => undefined,
    (error: Error) => error.message.replaceAll(folder, ''),
  );
  return { said: lines.replaceAll(`${folder}/`, ''), ...(refused === undefined ? {} : { refused }) };
}

const scheduled = (schedule: string) => (text: string) =>
  text.replace(/batchSchedule: .*/, `batchSchedule: "${schedule}"`);

test('a run of a schedule that is over says since when', async () => {
  expect(await said(scheduled('cron(15 10 ? * 6L 2022-2023)'))).toEqual({
    said: expect.stringMatching(
      /^warning: program\.yaml:\d+:3 spec\.batchSchedule: is over: it fired last on 2023-12-29 and never again$/m,
    ),
  });
  expect((await said(scheduled('0 2 * * MON'))).said).not.toContain('is over');
});

test('a run of a manifest with many faults tells the first of a kind, and counts all', async () => {
  const filters = Array.from({ length: 40 }, (_, index) => `    - {filterId: f${index}, type: x, order: ${index}}\n`);
  const { said: lines, refused } = await said((text) => `${text}  filterChain:\n${filters.join('')}`);
  expect(lines.match(/it must be one of/g)).toHaveLength(5);
  expect(lines).toContain('and 35 more like program.yaml:');
  expect(refused).toBe('/program.yaml: 40 faults, nothing was run');
});
