# Everything a newcomer needs: `make demo`, `make test`; a reviewer adds `make check`.
# The tools are those of package-lock.json, Node itself included; the machine's own npm only installs them.
.POSIX:
.PHONY: help setup install uninstall demo test check build image generate models clean

# make install PREFIX=/usr/local is for everybody on the machine.
PREFIX = $(HOME)/.local
# The last two are how kubectl finds `kubectl holdfast`, and what completes it.
COMMANDS = holdfast kubectl-holdfast kubectl_complete-holdfast

# make demo CUSTOMERS=2000 is a small one.
CUSTOMERS = 500000

help: ## Lists the targets.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r name text; do printf '%-10s %s\n' "$$name" "$$text"; done

setup: node_modules/.setup ## Installs what package-lock.json names.

node_modules/.setup: package.json package-lock.json .npmrc
	npm ci --loglevel=error
	@touch $@

install: setup ## Puts `holdfast` on the PATH: a link in PREFIX/bin (~/.local/bin) to this clone.
	@for name in $(COMMANDS); do \
	  case "$$(readlink -- "$(PREFIX)/bin/$$name" || echo none)" in */bin/$$name) ;; *) \
	    if [ -e "$(PREFIX)/bin/$$name" ]; then echo "$(PREFIX)/bin/$$name is there, and not ours" >&2; exit 1; fi ;; esac; \
	  mkdir -p "$(PREFIX)/bin" && ln -sf "$$(pwd)/bin/$$name" "$(PREFIX)/bin/$$name" && echo "installed $(PREFIX)/bin/$$name" || exit 1; \
	done
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo "put $(PREFIX)/bin on the PATH" ;; esac

uninstall: ## Removes that link.
	@for name in $(COMMANDS); do case "$$(readlink -- "$(PREFIX)/bin/$$name" || echo none)" in \
	  */bin/$$name) rm -- "$(PREFIX)/bin/$$name" && echo "removed $(PREFIX)/bin/$$name" ;; \
	  *) if [ -e "$(PREFIX)/bin/$$name" ]; then echo "$(PREFIX)/bin/$$name is none of ours" >&2; fi ;; esac; done

demo: setup ## Runs the weekly batch of examples/churn-prevention.yaml over a sample business of the use case's size.
	./bin/holdfast run examples/churn-prevention.yaml --customers $(CUSTOMERS)

test: setup ## Runs every test.
	npm test --silent

check: setup ## Runs everything that a reviewer would: types, format, lint, import rules, unused code, generated files.
	npm run --silent check

build: setup ## Compiles to JavaScript in dist/.
	npm run --silent build

image: ## Builds the image for a cluster: make image IMAGE=ghcr.io/my-team/holdfast (bin/build-image says what else).
	@./bin/build-image

generate: setup ## Writes the generated files anew: the CRDs and docs/errors.md.
	npm run --silent generate

clean: ## Removes what setup, demo and build made.
	if [ -x node_modules/node/bin/node ]; then ./bin/holdfast clean; fi
	rm -rf node_modules dist
