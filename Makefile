# `SETUP=:` goes without the check of what is installed.
SETUP = scripts/setup

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## install what is missing, build, and draw plots/first.png
	.build/release/reprise run examples/first.reprise

build: setup ## build reprise, in release mode
	swift build -c release --product reprise

test: setup ## run every test, in release mode
	scripts/test

# What is to be the most that oneDNN uses. DEFAULT is no bound, so with VNNI and BF16 where the processor has them.
ISAS = AVX2 $(if $(shell grep -m1 avx512bw /proc/cpuinfo),AVX512_CORE) DEFAULT
SUITES = EngineTests|TrainingTests|CompressionTests
test-isa: setup ## run the engine's, training's and compression's tests under each instruction set that is here
	@for isa in $(ISAS); do \
	  echo "with ONEDNN_MAX_CPU_ISA=$$isa:"; \
	  ONEDNN_MAX_CPU_ISA=$$isa swift test -c release --no-parallel --disable-testable-imports --filter '$(SUITES)' || exit; \
	done

sanitize: ## run the C kernels and readers under AddressSanitizer and UndefinedBehaviorSanitizer
	Tests/Sanitize/run

setup: ## install what is missing and check the Swift compiler
	@$(SETUP)

# Beside the program: the manual page, and the completions of the three common shells.
PREFIX = /usr/local
install: build ## put reprise, its manual page and shell completions under PREFIX
	install -D .build/release/reprise $(DESTDIR)$(PREFIX)/bin/reprise
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/, man/man1 bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	.build/release/reprise doc --man > $(DESTDIR)$(PREFIX)/share/man/man1/reprise.1
	.build/release/reprise --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/reprise
	.build/release/reprise --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_reprise
	.build/release/reprise --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/reprise.fish

clean: ## remove everything that was built
	rm -rf .build .build-sanitize

.PHONY: help demo build test test-isa sanitize setup install clean
