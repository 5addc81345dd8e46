import { expect, test } from '@jest/globals';
import { isSharded, PIPELINES, type PipelineName } from '../contract/pipelines.ts';
import { loadSharded, loadWork, RUNNABLE } from './stages.ts';

test.each(Object.keys(PIPELINES) as PipelineName[])('every stage of %s has its code', async (pipeline) => {
  for (const stage of PIPELINES[pipeline].stages) {
    expect(stage.tasks.at(-1)?.does).toBe('work');
    expect(await loadWork(RUNNABLE, pipeline, stage.name)).toBeInstanceOf(Function);
    if (isSharded(stage))
      expect(await loadSharded(RUNNABLE, pipeline, stage.name)).toMatchObject({ gather: expect.any(Function) });
  }
});
