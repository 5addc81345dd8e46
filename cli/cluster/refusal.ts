import { HoldfastError } from '../../base/errors.ts';
import { shortened } from '../../base/text/printable.ts';
import { KubeError } from '../../operator/kube/api.ts';

/** What was asked of the API server, for the sentence that says why not. */
export interface Asked {
  /** Of RBAC: get, list, watch, create or patch. */
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch';
  /** Plural of the kind. */
  readonly resource: string;
  readonly namespace: string;
  /** Where it was asked, for people. */
  readonly place: string;
}

const LONGEST = 500;

/** Whom Kubernetes takes who shows no credentials for. */
const ANONYMOUS = 'system:anonymous';
const KNOWS_NOBODY =
  'was shown no credentials that it knows: the user of the kubeconfig has none, or the file that they are in is gone or empty';

/** What the API server's answer means to the person who gave the command. Anything but a KubeError stays what it is. */
export function refusalOf(error: unknown, asked: Asked): unknown {
  if (!(error instanceof KubeError)) return error;
  const { verb, resource, namespace, place } = asked;
  const said = shortened(error.said?.message ?? error.message, LONGEST);
  const no = (code: ConstructorParameters<typeof HoldfastError>[0], message: string) =>
    new HoldfastError(code, message, { cause: error });
  switch (error.status) {
    case 0:
      return unanswered(error, place, no);
    case 401:
      return no('HF_CLUSTER_UNAUTHORIZED', `${place} does not take the credentials of the kubeconfig: log in again`);
    case 403: {
      const user = /\bUser "([^"]*)" cannot \w+ resource\b/.exec(said)?.[1];
      if (user === undefined) return no('HF_CLUSTER_REFUSED', `${place} refuses: ${said}`);
      if (user === ANONYMOUS) return no('HF_CLUSTER_UNAUTHORIZED', `${place} ${KNOWS_NOBODY}`);
      const may = `you may not ${verb} ${resource} in the namespace ${namespace}`;
      return no('HF_CLUSTER_FORBIDDEN', `${may} as ${user}: ${roleFor(verb)}`);
    }
    case 404:
      // Of an object or a namespace it says which; of a kind that it does not know nothing.
      return /"[^"]+" not found/.test(said)
        ? no('HF_CLUSTER_CONFLICT', `${place}: ${said}`)
        : no('HF_NOT_INSTALLED', `Holdfast is not installed in ${place}: it knows no ${resource}.holdfast.dev`);
    case 409:
      return no('HF_CLUSTER_CONFLICT', `another changed it meanwhile: ${said}`);
    case 400:
    case 413:
    case 422:
      return no('HF_CLUSTER_REFUSED', `${place} refuses it: ${fieldsOf(error) ?? said}`);
    default:
      return no('HF_CLUSTER_UNREACHABLE', `${place} answers with status ${error.status}: ${said}`);
  }
}

/** Whether what `refusalOf` made says that one may not. */
export function isForbidden(error: unknown): boolean {
  return error instanceof HoldfastError && error.cause instanceof KubeError && error.cause.status === 403;
}

function unanswered(
  error: KubeError,
  place: string,
  no: (code: 'HF_CLUSTER_CONFIG' | 'HF_CLUSTER_UNREACHABLE' | 'HF_INTERRUPTED', message: string) => HoldfastError,
): HoldfastError {
  if (error.reason === 'NoCredentials')
    return no('HF_CLUSTER_CONFIG', `${place}: ${shortened(error.message, LONGEST)}`);
  const code = codeOf(error);
  const why = UNUSABLE[code];
  if (why !== undefined) return no('HF_CLUSTER_CONFIG', `${place}: ${why} (${code})`);
  return no('HF_CLUSTER_UNREACHABLE', `${place} does not answer: ${shortened(error.message, LONGEST)}`);
}

/** What Node and OpenSSL have against an address or a certificate, by Node's code. */
const UNUSABLE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate of its API server has expired',
  CERT_NOT_YET_VALID: 'the certificate of its API server is not valid yet: check the clock of this machine',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of its API server is not from the authority of the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate of its API server is not from the authority of the kubeconfig',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate of its API server is not from the authority of the kubeconfig',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the certificate of its API server is not from the authority of the kubeconfig',
  CERT_SIGNATURE_FAILURE: 'the certificate of its API server is not from the authority of the kubeconfig',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of its API server is for another name than that of the kubeconfig',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'its API server wants a certificate of yours, and the kubeconfig has none',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'your certificate in the kubeconfig has expired',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': 'your certificate in the kubeconfig has expired',
  ERR_OSSL_PEM_NO_START_LINE: 'your certificate or key in the kubeconfig is none',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'your certificate and your key in the kubeconfig do not belong together',
  ERR_INVALID_URL: 'the address of its API server in the kubeconfig is none',
};

function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== undefined) return code;
  }
  return '';
}

/** The fields that a refusal names, each with why. */
function fieldsOf({ said }: KubeError): string | undefined {
  const causes = said?.details?.causes?.filter(({ field, message }) => field && message) ?? [];
  if (causes.length === 0) return undefined;
  return shortened(causes.map(({ field, message }) => `${field}: ${message}`).join('; '), LONGEST);
}

/** Of the chart, or of Kubernetes itself, which the chart adds to. */
function roleFor(verb: Asked['verb']): string {
  const reads = verb === 'get' || verb === 'list' || verb === 'watch';
  return reads
    ? "ask for a RoleBinding there to Kubernetes' ClusterRole view, or to that of Holdfast's chart whose name ends in :view"
    : "ask for a RoleBinding there to the ClusterRole of Holdfast's chart whose name ends in :run, or to Kubernetes' own edit";
}
