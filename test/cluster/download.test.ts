import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { downloadProgram } from './download.ts';
import type { Program, Release } from './programs.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-download-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

function program(release: Partial<Release> = {}): Program {
  const url = 'https://releases.test/v1/tool';
  return { module: '', package: '', release: () => ({ url, checksums: `${url}.sha256`, ...release }) };
}

function site(files: Readonly<Record<string, Buffer | string>>): typeof fetch {
  return (async (url: string) =>
    url in files ? new Response(files[url] as string) : new Response('', { status: 404 })) as typeof fetch;
}

function digest(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

test('a program is taken when it is what its checksum says, and can be run', async () => {
  const files = site({
    'https://releases.test/v1/tool': '#!/bin/sh\n',
    'https://releases.test/v1/tool.sha256': digest('#!/bin/sh\n'),
  });
  expect(await downloadProgram(program(), join(folder, 'tool'), files)).toBe(true);
  expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('#!/bin/sh\n');
  expect((await stat(join(folder, 'tool'))).mode & 0o777).toBe(0o755);
  expect(await readdir(folder)).toEqual(['tool']);
});

test('a program is taken out of its archive', async () => {
  await mkdir(join(folder, 'tool-v1'));
  await writeFile(join(folder, 'tool-v1', 'tool'), 'inside');
  const archive = execFileSync('tar', ['-C', folder, '-cz', 'tool-v1']);
  const files = site({
    'https://releases.test/v1/tool.tar.gz': archive,
    'https://releases.test/v1/SUMS': `${digest('other')}  other.tar.gz\n${digest(archive)}  tool.tar.gz\n`,
  });
  const release = {
    url: 'https://releases.test/v1/tool.tar.gz',
    checksums: 'https://releases.test/v1/SUMS',
    member: 'tool-v1/tool',
  };
  expect(await downloadProgram(program(release), join(folder, 'tool'), files)).toBe(true);
  expect(await readFile(join(folder, 'tool'), 'utf8')).toBe('inside');
});

test('other bytes than the checksum says are refused, and nothing of them stays', async () => {
  const files = site({
    'https://releases.test/v1/tool': 'other',
    'https://releases.test/v1/tool.sha256': digest('#!/bin/sh\n'),
  });
  await expect(downloadProgram(program(), join(folder, 'tool'), files)).rejects.toThrow('SHA-256');
  expect(await readdir(folder)).toEqual([]);
});

test('a site out of reach is no failure: there are other ways', async () => {
  const nowhere = (() => Promise.reject(new TypeError('fetch failed'))) as typeof fetch;
  expect(await downloadProgram(program(), join(folder, 'tool'), nowhere)).toBe(false);
  expect(await downloadProgram(program(), join(folder, 'tool'), site({}))).toBe(false);
});
