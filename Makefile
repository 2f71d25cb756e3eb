# Two commands do everything on a fresh machine:
#   make demo   installs what is missing, builds, fetches the encoder, runs the main job on real input
#   make test   all tests
SHELL := /bin/bash
.DEFAULT_GOAL := help

# One configuration for everything: debug builds compile the kernels without optimisation.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing
BIN := .build/release

# The demo and the tests keep their state here, not in the user's home.
export HIDRA_HOME ?= $(CURDIR)/.build/home
export HIDRA_DAEMON := $(CURDIR)/$(BIN)/hidrad

.PHONY: help
help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

.PHONY: deps
deps: ## Installs the system libraries that are missing (Debian: libzmq, OpenBLAS, protobuf-c, cairo, SQLite, …; pip).
	@.ci/install

.PHONY: build
build: deps ## Builds everything.
	swift build $(SWIFT_FLAGS)

.PHONY: encoder
encoder: build ## Fetches the pretrained encoder all-MiniLM-L6-v2, verified, once.
	@$(BIN)/hidra pull minilm

.PHONY: demo
demo: encoder ## Trains three heads on support messages and answers unseen ones.
	@$(BIN)/ticket-triage --data Plugins/ticket-triage/data
	@echo "Next: export HIDRA_HOME=$(HIDRA_HOME); $(BIN)/hidra predict ticket-intent,ticket-urgency \"my order has not arrived\""
	@$(BIN)/hidra stop >/dev/null

.PHONY: test
test: encoder ## Runs all tests; the last line counts them.
	@$(BIN)/hidra stop >/dev/null || true
	@.ci/test $(SWIFT_FLAGS)

# What it looks at runs every function of the C library, failures included.
C_BUILD := .build/c
C_PROGRAMS := Tests/CHidraPluginTests/Programs
C_FLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O1 -I Sources/CHidraPlugin/include
C_LIBRARIES := -lzmq -lprotobuf-c -lpthread -lm
VALGRIND := valgrind -q --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --child-silent-after-fork=yes \
	--error-exitcode=99
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: memcheck
memcheck: encoder ## The C library under valgrind and with the address and undefined-behaviour sanitizers.
	$(MAKE) -s -C Sources/CHidraPlugin
	$(MAKE) -s -C Sources/CHidraPlugin BUILD=../../$(C_BUILD)-sanitized CFLAGS="-O1 -g $(SANITIZE)"
	for program in exercise steps callbacks remote; do \
		$(CC) $(C_FLAGS) $(C_PROGRAMS)/$$program.c $(C_BUILD)/libhidra.a $(C_LIBRARIES) -o $(C_BUILD)/$$program && \
		$(CC) $(C_FLAGS) $(SANITIZE) $(C_PROGRAMS)/$$program.c $(C_BUILD)-sanitized/libhidra.a $(C_LIBRARIES) \
			-o $(C_BUILD)-sanitized/$$program || exit 1; \
	done
	$(VALGRIND) $(C_BUILD)/exercise $(HIDRA_HOME) $(HIDRA_DAEMON)
	$(VALGRIND) $(C_BUILD)/steps $(HIDRA_HOME) minilm
	$(VALGRIND) $(C_BUILD)/callbacks $(HIDRA_HOME) minilm
	$(C_BUILD)-sanitized/exercise $(HIDRA_HOME) $(HIDRA_DAEMON)
	$(C_BUILD)-sanitized/steps $(HIDRA_HOME) minilm
	$(C_BUILD)-sanitized/callbacks $(HIDRA_HOME) minilm
	Tests/CHidraPluginTests/remote.sh $(HIDRA_DAEMON) $(BIN)/hidra $(HIDRA_HOME)/encoders/minilm $(VALGRIND) $(C_BUILD)/remote
	Tests/CHidraPluginTests/remote.sh $(HIDRA_DAEMON) $(BIN)/hidra $(HIDRA_HOME)/encoders/minilm $(C_BUILD)-sanitized/remote
	@$(BIN)/hidra stop >/dev/null

.PHONY: kernels
kernels: ## The C kernels at every level; NEON too, emulated, where qemu-user and gcc-aarch64-linux-gnu are installed.
	@.ci/kernels

.PHONY: conformance
conformance: encoder ## Every SDK, and the plugins, against the protocol: versions, lost connections, repeats, malformed messages.
	@.ci/conformance

.PHONY: bench
bench: encoder ## Measures this machine: kernels, encoding, head training; then the whole job against what else there is.
	@python3 Tests/Benchmarks/bench.py

.PHONY: soak
soak: encoder ## Half an hour of eight plugins on one daemon, killed at random; then predictions and trainings side by side.
	@.ci/soak $${SOAK_SECONDS:-1800}
	@Tests/Soak/latency

.PHONY: soak-sessions
soak-sessions: encoder ## Sessions whose daemon and plugin are killed at random, 50 times and more; each must end with the same bytes.
	@.ci/soak-sessions $${SOAK_KILLS:-50}

.PHONY: soak-fuzz
soak-fuzz: build ## Ten minutes of random and mutated messages on every socket, then a minute of libFuzzer on the decoder.
	HIDRA_FUZZ_SECONDS=$${HIDRA_FUZZ_SECONDS:-600} swift test $(SWIFT_FLAGS) --no-parallel --filter FuzzTests
	@Tests/Fuzz/run

.PHONY: format
format: ## Formats the sources.
	swift format --in-place --recursive Package.swift Sources Tests Plugins

.PHONY: clean
clean: ## Removes what was built, the demo's state included.
	rm -rf .build
