import { Ajv } from 'ajv';
import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import type { ModelManifest, ModelReference } from './model.ts';

const name = Type.String({ minLength: 1, maxLength: 253 });

/** What the JSON beside a model must hold. Other members are for people and pass unread. */
const schema = Type.Object({
  modelId: name,
  role: Type.Enum(['churn-risk', 'offer-effectiveness']),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  features: Type.Array(name, { minItems: 1, maxItems: 256, uniqueItems: true }),
  calibrated: Type.Boolean(),
  calibration: Type.Optional(Type.Object({ method: name, rows: Type.Integer({ minimum: 0 }) })),
  kinds: Type.Optional(Type.Array(name, { minItems: 1, maxItems: 64, uniqueItems: true })),
  training: Type.Object({ from: name, to: name, rows: Type.Integer({ minimum: 0 }), label: Type.String() }),
  typical: Type.Optional(Type.Array(Type.Number(), { maxItems: 256 })),
  figures: Type.Record(Type.String(), Type.Number()),
});

/**
 * Reads the JSON beside a model.
 * @param file what messages call it
 * @throws HF_MODEL_REFUSED with every fault
 */
export function parseModelManifest(text: string, file: string, modelId: string): ModelManifest {
  const refuse = (reason: string, cause?: unknown) =>
    new HoldfastError('HF_MODEL_REFUSED', `Model ${modelId}: ${file} ${reason}.`, { cause });

  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse('is not JSON', cause);
  }
  const ajv = new Ajv({ allErrors: true });
  if (!ajv.validate(schema, json)) {
    const faults = (ajv.errors ?? []).map((error) => `${error.instancePath.slice(1) || 'it'} ${error.message}`);
    throw refuse(`is not a model manifest: ${faults.join('; ')}`);
  }
  const manifest = json as ModelManifest;
  const needsKinds = manifest.role === 'offer-effectiveness';
  if (needsKinds !== (manifest.kinds !== undefined)) {
    throw refuse(
      needsKinds
        ? 'has the role offer-effectiveness but no kinds'
        : `has kinds, which the role ${manifest.role} has not`,
    );
  }
  const { features, typical } = manifest;
  if (typical !== undefined && typical.length !== features.length) {
    throw refuse(`has ${typical.length} typical values for ${features.length} features`);
  }
  return manifest;
}

/** The JSON as it is written beside a model: its digest is what a program pins. */
export function modelManifestText(manifest: ModelManifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/**
 * Makes sure that the program and the model mean the same thing: same name, same features in the same order.
 * @throws HF_MODEL_REFUSED with the first difference
 */
export function assertAgrees(manifest: ModelManifest, reference: ModelReference): void {
  const refuse = (reason: string) => new HoldfastError('HF_MODEL_REFUSED', `Model ${reference.modelId}: ${reason}.`);
  if (manifest.modelId !== reference.modelId) {
    throw refuse(`the manifest beside ${reference.endpoint} is that of ${manifest.modelId}`);
  }
  const length = Math.max(manifest.features.length, reference.features.length);
  for (let index = 0; index < length; index++) {
    const [theirs, ours] = [manifest.features[index], reference.features[index]];
    if (theirs !== ours) {
      throw refuse(
        `feature ${index + 1} is ${theirs ?? 'missing'} in the model and ${ours ?? 'missing'} in the program; ` +
          `the model takes, in this order, ${manifest.features.join(', ')}`,
      );
    }
  }
}
