import { spawn } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { childrenOf, endOf } from './ending.ts';

const isThere = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

test('a program that does not end is killed with those it started, and the wait says what it was for', async () => {
  // As one behind unshare: its starter ignores signals and waits for it; it holds the pipe that is waited for.
  const child = spawn('sh', ['-c', 'trap "" TERM; sh -c "sleep 600; true"; true'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const below = async () => childrenOf(child.pid as number).flatMap((pid) => [pid, ...childrenOf(pid)]);
  const started = await until('three generations', below, (pids) => pids.length === 2);
  await expect(endOf(child, 'the end of a sleeper', 20)).rejects.toThrow(/^not within 0.02 s: the end of a sleeper/);
  await until(
    'all gone',
    async () => started.filter(isThere),
    (left) => left.length === 0,
  );
});

test('one that ends is known by its status, and one that cannot start by its error', async () => {
  expect(await endOf(spawn('sh', ['-c', 'exit 3']), 'it', 10_000)).toBe(3);
  await expect(endOf(spawn('/nonexistent'), 'it', 10_000)).rejects.toThrow('ENOENT');
});
