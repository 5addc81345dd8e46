import { Type } from 'typebox';
import type { ModelParameters } from '../model.ts';

/** A model in a file, which is run in this process. */
export const onnxParameters = {
  address: '[^\\x00-\\x20\\x7f]+',
  form: 'onnx://PATH',
  description: 'onnx://PATH is a file relative to the folder of the manifest, onnx:///PATH an absolute one.',
  fields: {
    manifestSha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        meaning: 'a SHA-256 of 64 lower-case hexadecimal digits',
        maxLength: 64,
        description:
          'onnx://: SHA-256 of the JSON beside the model file, which says what its outputs mean, such as the order of ' +
          'the offer kinds. `holdfast models check` prints it.',
      }),
    ),
  },
  rules: [
    {
      rule: "!has(self.manifestSha256) || self.endpoint.startsWith('onnx://')",
      message: 'manifestSha256 is for onnx:// models; of a remote model sha256 pins its manifest',
      fieldPath: '.manifestSha256',
    },
    {
      rule: "!self.endpoint.startsWith('onnx://') || has(self.sha256)",
      message: 'an onnx:// model needs its sha256 (sha256sum FILE), so that nobody can swap the file',
      fieldPath: '.sha256',
    },
  ],
} satisfies ModelParameters;
