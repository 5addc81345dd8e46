import { tmpdir } from 'node:os';
import { expect, test } from '@jest/globals';
import { identifier, literal, openEngine } from './engine.ts';

test('a name and a text survive quoting whatever they contain', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  const nasty = `it's "quoted"; --`;
  expect(await engine.rows(`SELECT ${literal(nasty)} AS ${identifier(nasty)}`)).toEqual([{ [nasty]: nasty }]);
});

test('a statement takes parameters by position and by name', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  expect(await engine.rows('SELECT $1 + 1 AS a', [41])).toEqual([{ a: 42 }]);
  expect(await engine.rows('SELECT $x AS a', { x: 'text' })).toEqual([{ a: 'text' }]);
});

test('a large result arrives in chunks, in order and whole', async () => {
  await using engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  let next = 0;
  for await (const chunk of engine.chunks('SELECT range::INTEGER AS n FROM range(10_000)')) {
    for (const value of chunk.getColumnValues(0)) expect(value).toBe(next++);
  }
  expect(next).toBe(10_000);
});

test('closing under a running statement stops it and leaves the process alive', async () => {
  const engine = await openEngine({ threads: 1, memoryMb: 256, scratchFolder: tmpdir() });
  const running = engine.rows(
    'SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE a.range + b.range < 0',
  );
  engine.close();
  await expect(running).rejects.toThrow(/interrupt/i);
  await expect(engine.run('SELECT 1')).rejects.toThrow('closed');
  engine.close();
});
