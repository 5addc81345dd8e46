import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { writeModel } from '../../../test/support/models.ts';
import { identityModel } from '../../../test/support/onnx.ts';

test('a process that loads a model writes nothing under its home folder: no telemetry', async () => {
  const home = await mkdtemp(join(tmpdir(), 'holdfast-home-'));
  const models = await mkdtemp(join(tmpdir(), 'holdfast-models-'));
  try {
    const model = await writeModel(models, identityModel(1), { modelId: 'risk', features: ['a'] });
    const reference = JSON.stringify({ ...model, baseFolder: models, threads: 1 });
    const script = `
      import { loadModel } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
      const model = await loadModel(${reference});
      console.log((await model.score(Float32Array.of(0.5), 1))[0]);
      await model.close();`;
    // ONNX Runtime keeps quiet by itself where it takes the environment for that of a build: give it a bare one.
    const options = { env: { HOME: home }, encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options)).toBe('0.5\n');
    expect(await readdir(home)).toEqual([]);
  } finally {
    await rm(home, { recursive: true });
    await rm(models, { recursive: true });
  }
});
