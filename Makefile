# Every target prepares what it needs: Debian packages come through apt when they are missing, Go modules and the pinned
# tools (tools/go.mod) through the Go module proxy. A machine needs go, git and make to begin with.

BUILD_PACKAGES   := gcc libc6-dev
BROWSER_PACKAGES := chromium fonts-noto-cjk
LAB_PACKAGES     := qemu-system-x86 kmod udev xz-utils
TEST_PACKAGES    := $(BUILD_PACKAGES) $(BROWSER_PACKAGES) $(LAB_PACKAGES) ca-certificates openssl systemd
TOOLS_BIN        := $(CURDIR)/bin/tools

.PHONY: build demo test lab simulate soak mutants check screens tools clean help

build: ## build bin/payscand
	@scripts/packages.sh $(BUILD_PACKAGES) || echo 'build: going on without them' >&2
	@scripts/build.sh bin/payscand

demo: build ## play a counter's day with the practice gateway; ARGS=--once ends by itself
	@scripts/packages.sh $(BROWSER_PACKAGES)
	bin/payscand demo $(ARGS)

# The race detector needs cgo. No cached results (-count=1): the end-to-end tests run a binary that they build themselves,
# and go test does not see the sources of that one.
test: ## everything that must hold before a change lands
	@scripts/packages.sh $(TEST_PACKAGES)
	go vet ./...
	CGO_ENABLED=0 go build -buildvcs=false ./...
	scripts/verify-units.sh
	scripts/fuzz.sh 3s
	CGO_ENABLED=1 go test -race -count=1 -timeout=8m $$(go list ./... | grep -v '/test/lab$$')
	@# Alone, for it emulates a processor; with its words, for they say what was proved, or why it was skipped.
	CGO_ENABLED=1 go test -race -count=1 -timeout=20m -v ./test/lab

lab: ## the scanner lab at length: 1,000 replugs, and everything once more with AddressSanitizer
	@scripts/packages.sh $(BUILD_PACKAGES) $(LAB_PACKAGES)
	CI=true go test -count=1 -timeout=60m -v ./test/lab -long
	CI=true go test -count=1 -timeout=60m -v ./test/lab -asan

SEEDS ?= 0-100000
simulate: ## play counter days against the money rules; SEEDS=A-B goes on where another run ended
	go run ./internal/simulation/cmd/simulate -seeds $(SEEDS)

soak: ## power cuts, failing disks, kills and a long day for the real program; ARGS='-only kills -kills 100'
	go run ./internal/soak/cmd/soak $(ARGS)

mutants: ## put deliberate defects into the source, one at a time: each must be noticed by a test
	go run ./internal/mutants

check: tools ## format, linters, import rules, known vulnerabilities
	@scripts/packages.sh $(BUILD_PACKAGES)
	scripts/gofmt.sh
	go vet ./...
	$(TOOLS_BIN)/golangci-lint config verify
	$(TOOLS_BIN)/golangci-lint run ./...
	scripts/vulnerabilities.sh $(TOOLS_BIN)/govulncheck

screens: ## take the pictures of the customer's display in docs/screens anew
	@scripts/packages.sh $(BROWSER_PACKAGES)
	CI=true go test -count=1 ./test -run '^TestScreens$$' -update

tools: ## build the pinned linters into bin/tools
	@mkdir -p $(TOOLS_BIN)
	go -C tools build -buildvcs=false -o $(TOOLS_BIN)/ tool

clean: ## remove what was built
	rm -rf bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' Makefile
