import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { HoldfastError } from '../../base/errors.ts';
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
  stdin: string | Readable = '',
  output: 'text' | 'json' = 'text',
  signal = new AbortController().signal,
): Promise<{ status: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const status = await validateFiles(
    files,
    { output, data: path.join(folder, 'state') },
    {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
      now: () => new Date('2026-11-23T02:00:00Z'),
      elapsed: () => 0,
      environment: {},
      signal,
      stdin: typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin,
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

/** The one finding of a validation as JSON. */
async function only(files: readonly string[], stdin = ''): Promise<Record<string, unknown>> {
  const { status, out, err } = await validate(files, stdin, 'json');
  const { findings, ...said } = JSON.parse(out) as { findings: Record<string, unknown>[] };
  expect([findings.length, err]).toEqual([1, '']);
  return { status, ...said, ...findings[0] };
}

test('as JSON a warning has its place and a code of its own, and the manifest is valid all the same', async () => {
  const warned = await file('warned.yaml', `${RUN}status: {phase: Running}\n`);
  expect(await only([warned])).toEqual({
    status: 0,
    valid: true,
    objects: 1,
    faults: 0,
    warnings: 1,
    file: 'warned.yaml',
    line: 8,
    column: 1,
    object: 'RetentionRun/a',
    path: 'status',
    code: 'MANIFEST',
    message: 'is ignored: only the operator writes it',
    severity: 'warning',
  });
});

test.each([
  ['an object of nothing but null', 'kind: null\nmetadata: null\nspec: null\n', 'kind'],
  ['a list', '- a\n- b\n', '(document)'],
  ['a text', 'hello\n', '(document)'],
])('as JSON %s is named without an object', async (_name, text, at) => {
  const place = { file: 'stdin', line: 1, column: 1, object: null, path: at };
  expect(await only(['-'], text)).toMatchObject({ status: 78, valid: false, objects: 1, faults: 1, ...place });
});

test('as JSON an object whose name is null has its own faults and no object', async () => {
  const said = await only([await file('null.yaml', RUN.replace('name: a\nspec', 'name: null\nspec'))]);
  expect(said).toMatchObject({ status: 78, object: null, line: 4, path: 'metadata.name' });
});

test.each([
  ['nothing', ''],
  ['a comment', '# nothing\n'],
  ['a document that is null', 'null\n'],
  ['documents without anything', '---\n---\n'],
])('as JSON a file of %s has one fault and no object', async (_name, text) => {
  const message = 'empty.yaml: is empty: there is no object in it';
  const where = { file: 'empty.yaml', line: null, column: null, object: null, path: null };
  expect(await only([await file('empty.yaml', text)])).toEqual({
    ...{ status: 78, valid: false, objects: 0, faults: 1, warnings: 0 },
    ...where,
    ...{ code: 'HF_MANIFEST_UNREADABLE', message, severity: 'fault' },
  });
});

test('as JSON what is no YAML has the line that the message names', async () => {
  const said = await only(['-'], 'a: 1\nb: [\n');
  expect(said).toMatchObject({ file: 'stdin', line: 3, column: 1, code: 'HF_MANIFEST_UNREADABLE' });
  expect(said['message']).toMatch(/^stdin:3:1: /);
});

test('as JSON standard input that is valid has no findings', async () => {
  expect(JSON.parse((await validate(['-'], RUN, 'json')).out)).toEqual({
    valid: true,
    objects: 1,
    faults: 0,
    warnings: 0,
    findings: [],
  });
});

test('who gives up before the end of standard input is not kept', async () => {
  const abort = new AbortController();
  const endless = new Readable({
    read: () => setImmediate(() => abort.abort(new HoldfastError('HF_INTERRUPTED', 'stopped'))),
  });
  await expect(validate(['-'], endless, 'json', abort.signal)).rejects.toMatchObject({ code: 'HF_INTERRUPTED' });
});
