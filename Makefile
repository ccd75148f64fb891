# `SETUP=:` goes without the check of what is installed.
SETUP = scripts/setup

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: build ## install what is missing, build, and draw plots/first.png
	.build/release/reprise run examples/first.reprise

build: setup ## build reprise, in release mode
	swift build -c release --product reprise

# One test at a time, since the engine's use every core. With testable imports, `test` and `build` would each compile
# anew what the other left.
test: setup ## run every test, in release mode
	swift test -c release --no-parallel --disable-testable-imports

setup: ## install what is missing and check the Swift compiler
	@$(SETUP)

clean: ## remove everything that was built
	rm -rf .build

.PHONY: help demo build test setup clean
