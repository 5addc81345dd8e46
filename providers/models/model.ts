import type { Parameters } from '../parameters.ts';
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

export interface ModelReference extends ProgramFiles {
  readonly modelId: string;
  readonly endpoint: string;
  readonly sha256?: string;
  /** SHA-256 of the JSON beside a file, which says what the outputs mean. */
  readonly manifestSha256?: string;
  /** Features that the program names, in order. */
  readonly features: readonly string[];
  /** Processors that a model in this process may use. */
  readonly threads: number;
  /** Path of the manifest of a remote model. */
  readonly manifest?: string;
  /** Rows that a remote model is asked about in one request. Default: all that it is given. */
  readonly batchSize?: number;
  /** Ends requests under way. */
  readonly signal?: AbortSignal;
}

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
