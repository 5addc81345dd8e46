import { readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parse, resolve } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import { randomNumbers } from '../../base/math/random-numbers.ts';
import { makeTemporaryFolder } from '../../base/temporary-folder.ts';
import type { Measured } from '../../customers/training/measured.ts';
import { loadModel } from '../../providers/models/index.ts';
import type { ModelRole } from '../../providers/models/model.ts';
import { checkModel, type ModelCheck } from '../../providers/models/onnx/check.ts';
import { modelPath } from '../../providers/models/onnx/file.ts';
import { losesMissingRoutes } from '../../providers/models/onnx/missing-routes.ts';
import { measureModel } from '../init/labelled-data.ts';
import { type MeasuredLater, measureProgram } from '../init/measure-program.ts';
import type { Io } from '../io.ts';
import { type Checked, checkReport } from '../terminal/models-report.ts';
import { near } from '../terminal/near.ts';
import { terminalProgress } from '../terminal/progress.ts';
import { reliabilitySvg } from '../terminal/reliability-svg.ts';
import { type RunnableManifest, readRunnable } from './manifests.ts';
import { sourcesOf } from './run-options.ts';

/** Options as the command line gives them. */
export interface CheckOptions {
  readonly output: 'text' | 'json';
  readonly features?: string;
  readonly role: ModelRole;
  readonly program?: string;
  readonly data?: string;
  /** Sheet of a workbook. */
  readonly sheet?: string;
  /** Whether a program is measured on its own source, as it is by now. */
  readonly measure?: boolean;
  readonly label?: string;
  readonly plot?: string;
}

const MEMORY_MB = 1024;
const NOT_USABLE = 78;

/**
 * Says of a model, or of each model of a program, whether a run can use it, and how good it is where labels are given.
 * @returns exit status: 0, or 78 when one cannot be used
 * @throws HF_USAGE, HF_SOURCE_UNSUITABLE, HF_MANIFEST_INVALID
 */
export async function checkModels(file: string | undefined, options: CheckOptions, io: Io): Promise<number> {
  refuseNonsense(file, options);
  const threads = Math.min(4, availableParallelism());
  const tools = { elapsed: io.elapsed, random: randomNumbers(1) };
  const manifest = options.program === undefined ? undefined : await readRunnable(options.program, io, io.now());
  const checks =
    manifest === undefined
      ? [
          await checkModel(
            { file: resolve(file ?? ''), features: featuresOf(options), role: options.role, threads },
            tools,
          ),
        ]
      : await checkProgram(manifest, options, threads, io);
  const first = checks.find(({ role }) => role === 'churn-risk') ?? checks[0];
  const measured =
    (options.data === undefined && options.measure !== true) || first === undefined || first.faults.length > 0
      ? undefined
      : await measure(first, options, manifest, threads, io);
  if (measured !== undefined && options.plot !== undefined) {
    await writeFile(options.plot, reliabilitySvg(measured, first?.modelId ?? '')).catch(
      (cause: NodeJS.ErrnoException) => {
        throw new HoldfastError('HF_USAGE', `cannot write ${options.plot} (${cause.code ?? 'unwritable'})`, { cause });
      },
    );
  }
  const results = checks.map(
    (check): Checked => ({ ...check, file: near(check.file), usable: check.faults.length === 0 }),
  );
  io.stdout.write(
    options.output === 'json'
      ? `${JSON.stringify({ usable: results.every(({ usable }) => usable), models: results, ...(measured === undefined ? {} : { measured }) })}\n`
      : checkReport(results, measured, options),
  );
  return results.every(({ usable }) => usable) ? 0 : NOT_USABLE;
}

function refuseNonsense(
  file: string | undefined,
  { program, data, sheet, measure: own, label, plot, features }: CheckOptions,
): void {
  const refuse = (reason: string) => {
    throw new HoldfastError('HF_USAGE', reason);
  };
  if ((file === undefined) === (program === undefined)) refuse('give either a model or --program FILE');
  if (program !== undefined && (features ?? label) !== undefined)
    refuse(
      '--features and --label are for one model (models check FILE.onnx --data FILE --label COLUMN): the query of a program has both',
    );
  if (own === true && (program === undefined || data !== undefined))
    refuse('--measure takes what a program reads: it needs --program FILE, and no --data');
  if (data === undefined && (label ?? sheet) !== undefined) refuse('--label and --sheet need --data FILE');
  if (data === undefined && own !== true && plot !== undefined) refuse('--plot needs --data FILE or --measure');
}

function featuresOf({ features }: CheckOptions): string[] | undefined {
  if (features === undefined) return undefined;
  const names = features.split(',').map((name) => name.trim());
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (names.includes('')) throw new HoldfastError('HF_USAGE', '--features: a name is empty');
  if (twice !== undefined) throw new HoldfastError('HF_USAGE', `--features: ${twice} is there twice`);
  return names;
}

async function checkProgram(
  { program, baseFolder }: RunnableManifest,
  { role }: CheckOptions,
  threads: number,
  io: Io,
): Promise<ModelCheck[]> {
  const tools = { elapsed: io.elapsed, random: randomNumbers(1) };
  const checks: ModelCheck[] = [];
  for (const scoringModel of program.spec.scoringModels) {
    const { modelId, endpoint, sha256, manifestSha256, features } = scoringModel;
    const reference = { ...scoringModel, baseFolder, threads, signal: io.signal };
    if (!endpoint.startsWith('onnx://')) {
      // Whatever a run would say of it.
      await (await loadModel(reference)).close();
      continue;
    }
    checks.push(
      await checkModel(
        { file: modelPath(reference), features, role, pinned: { modelId, sha256, manifestSha256 }, threads },
        tools,
      ),
    );
  }
  return checks;
}

async function measure(
  check: ModelCheck,
  { data, sheet, label }: CheckOptions,
  manifest: RunnableManifest | undefined,
  threads: number,
  io: Io,
): Promise<Measured | MeasuredLater> {
  const { dir, base } = parse(check.file);
  const endpoint = `onnx://${encodeURIComponent(base)}`;
  const model = await loadModel({
    modelId: check.modelId,
    endpoint,
    features: check.features ?? [],
    baseFolder: dir,
    threads,
  });
  const scratchFolder = await makeTemporaryFolder('holdfast-check-');
  const step = terminalProgress(io).step('score');
  try {
    const resources = { threads, memoryMb: MEMORY_MB };
    const progress = (done: number, total: number) => step.advance(done, total);
    const losesGaps = losesMissingRoutes(await readFile(check.file), model.manifest.features.length);
    const limits = { scratchFolder, resources, signal: io.signal, progress, losesGaps };
    const measured =
      manifest === undefined
        ? await measureModel(model, data ?? '', { label, sheet }, limits)
        : await measureProgram(
            model,
            manifest.program.spec,
            { file: data, sheet, sources: sourcesOf(manifest.program.spec, [], io.environment) },
            { ...limits, baseFolder: manifest.baseFolder },
          );
    step.done(measured.rows + measured.unlabelled, measured.rows);
    return measured;
  } catch (error) {
    step.failed();
    throw error;
  } finally {
    await model.close();
    await rm(scratchFolder, { recursive: true, force: true });
  }
}
