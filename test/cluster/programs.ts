/** What the tests run on. The modules under test/cluster/go pin the same. */
export const KUBERNETES_VERSION = '1.36.3';
const ETCD_VERSION = '3.7.3';
const HELM_VERSION = '4.3.1';
const COREDNS_VERSION = '1.15.0';

/** A released file of a program, on the site of those who made it. */
export interface Release {
  readonly url: string;
  /** A text that has the file's SHA-256, alone or in a line that ends in the file's name. */
  readonly checksums: string;
  /** Path within the archive; absent when the file is the program itself. */
  readonly member?: string;
}

export interface Program {
  /** Folder of test/cluster/go that pins it, by version and checksum. */
  readonly module: string;
  /** The command's Go package. */
  readonly package: string;
  /** @param architecture as Go calls it: amd64, arm64 */
  readonly release: (architecture: string) => Release;
}

function kubernetes(name: string): Program {
  return {
    module: 'kubernetes',
    package: `k8s.io/kubernetes/cmd/${name}`,
    release(architecture) {
      const url = `https://dl.k8s.io/release/v${KUBERNETES_VERSION}/bin/linux/${architecture}/${name}`;
      return { url, checksums: `${url}.sha256` };
    },
  };
}

/** Every program that a cluster of the tests is made of, or that works on one. */
export const PROGRAMS = {
  etcd: {
    module: 'etcd',
    package: 'go.etcd.io/etcd/server/v3',
    release(architecture) {
      const folder = `https://github.com/etcd-io/etcd/releases/download/v${ETCD_VERSION}`;
      const archive = `etcd-v${ETCD_VERSION}-linux-${architecture}`;
      return { url: `${folder}/${archive}.tar.gz`, checksums: `${folder}/SHA256SUMS`, member: `${archive}/etcd` };
    },
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubelet: kubernetes('kubelet'),
  kubectl: kubernetes('kubectl'),
  helm: {
    module: 'helm',
    package: 'helm.sh/helm/v4/cmd/helm',
    release(architecture) {
      const url = `https://get.helm.sh/helm-v${HELM_VERSION}-linux-${architecture}.tar.gz`;
      return { url, checksums: `${url}.sha256sum`, member: `linux-${architecture}/helm` };
    },
  },
  coredns: {
    module: 'coredns',
    package: 'github.com/coredns/coredns',
    release(architecture) {
      const folder = `https://github.com/coredns/coredns/releases/download/v${COREDNS_VERSION}`;
      const url = `${folder}/coredns_${COREDNS_VERSION}_linux_${architecture}.tgz`;
      return { url, checksums: `${url}.sha256`, member: 'coredns' };
    },
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof PROGRAMS;

export const CONTROL_PLANE = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const;
