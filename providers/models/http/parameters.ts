import { Type } from 'typebox';
import { secretKey, text } from '../../../base/schema/fields.ts';
import { TOKEN_ADDRESS } from '../../../contract/model-token.ts';
import type { ModelParameters } from '../model.ts';

/** Characters of a URL without user, query and fragment. */
const IN_URL = '[^\\x00-\\x20\\x7f?#@]';

/** A model on a server. */
export const httpParameters = {
  address: `${IN_URL}+/v2/models/${IN_URL}+`,
  form: 'https://HOST/v2/models/NAME/versions/VERSION',
  description: 'https:// is a model on a server that speaks the Open Inference Protocol, version 2.',
  fields: {
    manifest: Type.Optional(
      text(
        'https://: the JSON that says what the model predicts; a path relative to the folder of the manifest.',
        4096,
      ),
    ),
    cacheTTLHours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 8760,
        description: 'https://: hours for which scores are kept and not asked for again. Default: 168. 0 keeps none.',
      }),
    ),
    tokenSecretRef: Type.Optional(
      secretKey('https://, on a cluster: Secret of the program’s namespace that holds the bearer token.', 'token'),
    ),
  },
  rules: [
    {
      rule: "!self.endpoint.startsWith('http') || (has(self.manifest) && has(self.sha256))",
      message: 'a remote model needs its manifest and the sha256 of it (sha256sum FILE)',
      fieldPath: '.manifest',
    },
    ...['manifest', 'cacheTTLHours', 'tokenSecretRef'].map((field) => ({
      rule: `!has(self.${field}) || self.endpoint.startsWith('http')`,
      message: `${field} is for remote models (https://) only`,
      fieldPath: `.${field}`,
    })),
    {
      rule: `!has(self.tokenSecretRef) || self.endpoint.matches(r"${TOKEN_ADDRESS}")`,
      message:
        'a token is sent over https://, or over http:// to a Service of the cluster (NAME.NAMESPACE.svc) or to localhost',
      fieldPath: '.tokenSecretRef',
    },
  ],
} satisfies ModelParameters;
