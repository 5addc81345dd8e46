import { type Static, type TObject, Type } from 'typebox';
import { SET, text } from '../../base/schema/fields.ts';
import type { Parameters, Values } from '../parameters.ts';
import type { ProgramFiles } from '../program-file.ts';

/** What a model predicts, and so which of its outputs is read. */
export type ModelRole = 'churn-risk' | 'offer-effectiveness';

/** The JSON beside a model file (`churn-risk-v6.onnx` has `churn-risk-v6.json`). */
export interface ModelManifest {
  readonly modelId: string;
  readonly role: ModelRole;
  /** Lower-case hexadecimal SHA-256 of the model file; of a remote model what its makers say, which nobody can check. */
  readonly sha256: string;
  /** Features in the order of the input's columns. */
  readonly features: readonly string[];
  /** Whether the outputs mean probabilities. */
  readonly calibrated: boolean;
  readonly calibration?: { readonly method: string; readonly rows: number };
  /** Offer kinds in the order of the output's columns; only for `offer-effectiveness`. */
  readonly kinds?: readonly string[];
  readonly training: { readonly from: string; readonly to: string; readonly rows: number; readonly label: string };
  /** The usual value of each feature among the training rows, in order: what reasons compare a customer with. */
  readonly typical?: readonly number[];
  /** Figures measured out of time on other customers, such as `{"auc": 0.81}`. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A model that is loaded and verified. */
export interface Model {
  readonly manifest: ModelManifest;
  /** Batches that are best scored at the same time. */
  readonly concurrency: number;
  /** Length of a row of outputs: 1 for `churn-risk`, one per kind for `offer-effectiveness`. */
  readonly outputs: number;
  /** Only of a model that is asked over a network. */
  readonly remote?: {
    /** SHA-256 that stands for the model and where it is, in lower-case hexadecimal. */
    readonly digest: string;
    /** Batches that it is asked about at once when it is given several in one call. */
    readonly requestsAtOnce: number;
  };
  /**
   * Scores a batch.
   * @param features row-major, `rows × manifest.features.length`, float32; NaN means missing
   * @returns row-major, `rows × outputs`, float32
   */
  score(features: Float32Array, rows: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** What every model of a program says, whatever its endpoint: the parameters of its provider are beside these. */
export const SCORING_MODEL = {
  modelId: text('Name of the model, as in the file beside it.', 63),
  endpoint: Type.String(),
  sha256: Type.Optional(
    Type.String({
      pattern: '^[0-9a-f]{64}$',
      meaning: 'a SHA-256 of 64 lower-case hexadecimal digits',
      maxLength: 64,
      description: 'SHA-256 of the model file, for https:// of its manifest: bytes other than these are refused.',
    }),
  ),
  features: Type.Array(text('Column of the candidate.', 63), {
    minItems: 1,
    maxItems: 256,
    description: 'Columns that the model is given, in its order.',
    ...SET,
  }),
  batchSize: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    default: 1000,
    description: 'Candidates scored in one call.',
  }),
};

export type ScoringModelFields = Static<TObject<typeof SCORING_MODEL>>;

/** A model of a program, with the parameters of a provider, and what loading it may use. */
export type ModelReference<Own = unknown> = Own &
  ProgramFiles &
  Readonly<Pick<ScoringModelFields, 'modelId' | 'endpoint' | 'sha256'>> & {
    readonly features: Readonly<ScoringModelFields['features']>;
    /** Rows that a remote model is asked about in one request. Default: all that it is given. */
    readonly batchSize?: ScoringModelFields['batchSize'];
    /** Processors that a model in this process may use. */
    readonly threads: number;
    /** Ends requests under way. */
    readonly signal?: AbortSignal;
  };

/** A model as its provider reads it: fields that are another provider's are left alone. */
export type ModelReferenceOf<Own extends Parameters> = ModelReference<Values<Own['fields']>>;

/** What a provider reads of a model, and what its endpoints look like. */
export interface ModelParameters extends Parameters {
  /** What may follow `SCHEME://`, as a regular expression. */
  readonly address: string;
  /** An endpoint as a person reads it, such as `onnx://PATH`. */
  readonly form: string;
  /** What such an endpoint is, in sentences. */
  readonly description?: string;
}

/** One kind of model: a folder with its parameters and its code, and a line in `index.ts`. */
export interface ModelDefinition {
  /** URI schemes of its endpoints. */
  readonly schemes: readonly string[];
  readonly parameters: ModelParameters;
  /** Loads the code when a model names it; absent where this version cannot use such a model yet. */
  readonly load?: () => Promise<ModelProvider>;
}

export interface ModelProvider {
  /** @throws HF_MODEL_MISSING, HF_MODEL_DIGEST_MISMATCH, HF_MODEL_REFUSED, HF_PROVIDER_UNAVAILABLE */
  load(reference: ModelReference): Promise<Model>;
}
