import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { validateFiles } from './validate.ts';

const RUN =
  'apiVersion: holdfast.dev/v1alpha1\nkind: RetentionRun\nmetadata:\n  name: a\nspec:\n  programRef: {name: a}\n  pipeline: batch\n';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'holdfast-validate-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function validate(
  files: readonly string[],
  stdin = '',
  output: 'text' | 'json' = 'text',
): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const status = await validateFiles(
    files,
    { output },
    {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      now: () => new Date('2026-11-23T02:00:00Z'),
      stdin: Readable.from([Buffer.from(stdin)]),
    },
  );
  return { status, out: out.replaceAll(`${folder}/`, ''), err: err.replaceAll(`${folder}/`, '') };
}

async function file(name: string, text: string): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, text);
  return target;
}

test('a valid manifest is one line and status 0', async () => {
  expect(await validate([await file('run.yaml', RUN)])).toEqual({
    status: 0,
    out: 'valid: 1 object, 0 faults, 0 warnings\n',
    err: '',
  });
});

test('each fault names file, line, column, field, reason and what was meant; then status 78', async () => {
  const bad = await file('bad.yaml', RUN.replace('pipeline', 'pipelin'));
  expect(await validate([bad, await file('good.yaml', RUN)])).toEqual({
    status: 78,
    out: 'bad.yaml:7:3 spec.pipelin: is not a field here (did you mean pipeline?)\nrefused: 2 objects, 1 fault, 0 warnings\n',
    err: '',
  });
});

test('a file that cannot be read does not hide the faults of the next', async () => {
  const bad = await file('bad.yaml', RUN.replace('batch', 'bach'));
  const { status, out, err } = await validate([path.join(folder, 'none.yaml'), bad]);
  expect(status).toBe(78);
  expect(err).toBe('HF_MANIFEST_UNREADABLE: none.yaml: cannot be read: there is no such file\n');
  expect(out).toContain(
    'bad.yaml:7:3 spec.pipeline: is text "bach"; it must be one of batch, prune (did you mean batch?)',
  );
});

const FILTERS = (count: number) =>
  'apiVersion: holdfast.dev/v1alpha1\nkind: RetentionProgram\nmetadata: {name: a}\nspec:\n  filterChain:\n' +
  Array.from({ length: count }, (_, index) => `  - {filterId: f${index}, type: x, order: ${index}}\n`).join('');

test('of nine hundred faults of one kind the first five are told, and how many more there are', async () => {
  const bad = await file('bad.yaml', Array.from({ length: 20 }, () => FILTERS(45)).join('---\n'));
  const { status, out } = await validate([bad]);
  expect(status).toBe(78);
  expect(out.match(/ it must be one of /g)).toHaveLength(5);
  expect(out).toContain('and 895 more like bad.yaml:6:20 spec.filterChain[0].type\n');
  expect(out).toContain('and 15 more like bad.yaml:4:1 spec.programId\n');
  expect(out).toMatch(/refused: 20 objects, 1040 faults, 0 warnings\n$/);
  expect(out.length).toBeLessThan(15_000);
});

test('of faults of many kinds the first fifty are told, and the number of the rest', async () => {
  const fields = Array.from({ length: 200 }, (_, index) => `  k${'x'.repeat(index)}: {}\n`);
  const files = await Promise.all(fields.map((field, index) => file(`bad${index}.yaml`, `${RUN}${field}`)));
  const { out } = await validate(files);
  expect(out.match(/is not a field here/g)).toHaveLength(50);
  expect(out).toContain('and 150 more that are not shown\nrefused: 200 objects, 200 faults, 0 warnings\n');
});

test('faults of one kind in different files are told for each', async () => {
  const bad = RUN.replace('batch', 'bach');
  const { out } = await validate([await file('one.yaml', bad), await file('two.yaml', bad)]);
  expect(out.match(/^(one|two).yaml/gm)).toEqual(['one.yaml', 'two.yaml']);
});

test('a dash validates standard input', async () => {
  expect((await validate(['-'], RUN)).status).toBe(0);
  expect((await validate(['-'], 'kind: 1\n')).out).toContain('stdin:1:1 kind: ');
});

test('as JSON each finding of several files has its place, object, code and severity, and all are there', async () => {
  const two = `${RUN}---\n${RUN.replace('name: a\nspec', 'name: b\nspec').replace('batch', 'weekly')}`;
  const { status, out, err } = await validate(
    [await file('two.yaml', two), path.join(folder, 'none.yaml')],
    '',
    'json',
  );
  const said = JSON.parse(out) as { findings: Record<string, unknown>[] };
  expect({ status, err, lines: out.split('\n').length }).toEqual({ status: 78, err: '', lines: 2 });
  expect(said).toMatchObject({ valid: false, objects: 2, faults: 2, warnings: 0 });
  expect(said.findings).toEqual([
    {
      file: 'two.yaml',
      line: 15,
      column: expect.any(Number),
      object: 'RetentionRun/b',
      path: 'spec.pipeline',
      code: 'HF_MANIFEST_INVALID',
      message: expect.any(String),
      severity: 'fault',
    },
    {
      file: 'none.yaml',
      line: null,
      column: null,
      object: null,
      path: null,
      code: 'HF_MANIFEST_UNREADABLE',
      message: 'none.yaml: cannot be read: there is no such file',
      severity: 'fault',
    },
  ]);
});
