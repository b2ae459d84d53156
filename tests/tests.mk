# SPDX-License-Identifier: GPL-2.0-only
# Builds and runs every kind of test; tests/README.md describes them. A test binary links only the
# libraries that its module may call (the Makefile's MODULES, from it to the right), and its own
# module as a whole: a pure library that would need a stub does not link.

FUZZ_SECONDS ?= 60
T            := $(B)/tests

# $(call from,bgp,$(MODULES)) -> bgp util
from        = $(if $(filter $(1),$(firstword $(2))),$(2),$(call from,$(1),$(wordlist 2,99,$(2))))
# agent and api call each other through main, so that their tests get everything.
linked      = $(call from,$(if $(filter agent,$(1)),api,$(1)),$(MODULES))
archives    = $(foreach m,$(call linked,$(1)),$(B)/lib$(m).a)
# The leftmost module whose headers a file includes: what a test needs is what it names.
leftmost    = $(firstword $(foreach m,$(MODULES),$(filter $(m),\
		$(shell sed -n 's,^.include "\([a-z]*\)/.*,\1,p' $(1)))) util)
objects     = $(patsubst %.c,$(B)/%.o,$(1))
pure       := vnet rib bgp bfd util
# util takes its digests from libmd. jansson reads back what json_out wrote, and the expectations of
# captured messages. No other library for the tests of pure modules.
libs_util  := -ljansson
libs_bgp   := -ljansson
syslibs     = $(if $(filter $(1),$(pure)),$(libs_$(strip $(1))) -lmd,$(LIBS))

$(B)/tests/%.o: CPPFLAGS += -Itests/lib

TESTLIB := $(T)/libtest.a
$(TESTLIB): $(call objects,$(wildcard tests/lib/*.c))
	@mkdir -p $(@D)
	$(Q)rm -f $@; ar rcsD $@ $^

# $(call test_binary,binary,sources,module,more flags)
define test_binary
$(1): $(call objects,$(2)) $(TESTLIB) $(call archives,$(3))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(NO_LTO) $$(LDFLAGS) $(call objects,$(2)) -Wl,--start-group $(TESTLIB) \
		$(4) $(call archives,$(3)) -Wl,--end-group $(call syslibs,$(3)) $(5) -o $$@
endef
whole = -Wl,--whole-archive $(B)/lib$(1).a -Wl,--no-whole-archive

UNIT_MODULES := $(foreach m,$(MODULES),$(if $(wildcard tests/unit/$(m)/*.c),$(m)))
UNIT_BINS    := $(foreach m,$(UNIT_MODULES),$(T)/unit_$(m))
$(foreach m,$(UNIT_MODULES),$(eval $(call test_binary,$(T)/unit_$(m),\
	$(wildcard tests/unit/$(m)/*.c),$(m),$(call whole,$(m)),-lcriterion)))

# tests/model/model_decision.c or decision.c -> model_decision
single        = $(T)/$(1)_$(patsubst $(1)_%,%,$(basename $(notdir $(2))))
MODEL_FILES  := $(wildcard tests/model/*.c)
VECTOR_FILES := $(wildcard tests/vectors/*.c)
MODEL_BINS   := $(foreach f,$(MODEL_FILES),$(call single,model,$(f)))
VECTOR_BINS  := $(foreach f,$(VECTOR_FILES),$(call single,vectors,$(f)))
$(foreach f,$(MODEL_FILES),$(eval $(call test_binary,$(call single,model,$(f)),$(f),\
	$(call leftmost,$(f)),,-lcriterion)))
$(foreach f,$(VECTOR_FILES),$(eval $(call test_binary,$(call single,vectors,$(f)),$(f),\
	$(call leftmost,$(f)),,-lcriterion)))

BPF_FILES := $(wildcard tests/bpf/*.c)
BPF_BINS  := $(if $(BPF_FILES),$(T)/test_bpf)
$(call objects,$(BPF_FILES)): $(B)/gen/xrs.skel.h
$(eval $(call test_binary,$(T)/test_bpf,$(BPF_FILES),fib,,-lcriterion))

# Programs that shell tests drive.
TOOL_FILES := $(wildcard tests/netns/tool_*.c tests/tree/tool_*.c)
tool        = $(T)/$(basename $(notdir $(1)))
TOOL_BINS  := $(foreach f,$(TOOL_FILES),$(call tool,$(f)))
$(foreach f,$(TOOL_FILES),$(eval $(call test_binary,$(call tool,$(f)),$(f),\
	$(call leftmost,$(f)))))

# What shell tests put in front of the C library of one process.
PRELOADS := $(patsubst tests/netns/%.c,$(T)/%.so,$(wildcard tests/netns/preload_*.c))
$(T)/preload_%.so: tests/netns/preload_%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -O2 -g $(WARN) -std=gnu11 -D_GNU_SOURCE -shared -fPIC $< -ldl -o $@

# What tests/netns/upgrade.sh upgrades to: xrsd with maps of another layout, and xrsd with other programs.
UPGRADES := $(B)/next/xrsd $(B)/code/xrsd
$(B)/next/include/dataplane.h: include/dataplane.h tests/netns/lib/next_layout.sed
	@mkdir -p $(@D)
	$(Q)sed -f tests/netns/lib/next_layout.sed $< > $@.tmp && mv $@.tmp $@
.PHONY: $(B)/next/xrsd
$(B)/next/xrsd: $(B)/next/include/dataplane.h
	$(Q)CFLAGS="-O1 -g" $(MAKE) --no-print-directory HOT_FLAGS= B=$(B)/next LAYOUT=$(B)/next/include $@
$(B)/code/xrsd: $(B)/xrsd bpf/xrs.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)/include
	$(Q)sed 's/10000000000ull/9999999999ull/' include/dataplane.h > $(@D)/include/dataplane.h
	$(Q)$(MAKE) --no-print-directory B=$(@D) LAYOUT=$(@D)/include $(@D)/gen/xrs.skel.h
	$(Q)$(CC) -I$(@D)/gen $(CPPFLAGS) $(CFLAGS) -std=gnu11 -c user/fib/loader.c -o $(@D)/loader.o
	$(Q)$(CC) $(CFLAGS) $(NO_LTO) $(LDFLAGS) $(MAIN_O) $(@D)/loader.o \
		-Wl,--start-group $(LIBA) -Wl,--end-group $(LIBS) -o $@

# What the scripts of tests/bench measure BGP with.
BENCH_BGP := $(T)/bench_bgp
$(eval $(call test_binary,$(BENCH_BGP),tests/bench/bench_bgp.c $(wildcard tests/bench/bgp_*.c),fib))

# What tests/bench/lookup.sh measures lookups with, and the BPF programs that it runs.
BENCH_LOOKUP := $(T)/bench_lookup
$(B)/gen/feed.bpf.o: tests/bench/feed.bpf.c $(BPF_HDRS)
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) -O2 -g -fno-strict-aliasing -target bpf -mcpu=v3 -Wall -Werror -Iinclude -Ibpf \
		-I/usr/include/$(shell uname -m)-linux-gnu -c $< -o $@
$(B)/gen/feed.skel.h: $(B)/gen/feed.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name feed_bpf > $@.tmp && mv $@.tmp $@
$(B)/tests/bench/bench_lookup.o: $(B)/gen/feed.skel.h
$(eval $(call test_binary,$(BENCH_LOOKUP),tests/bench/bench_lookup.c \
	$(wildcard tests/bench/lookup_*.c),fib,,-lm))

# One target, two mains: a plain replay of its corpus for `check`, libFuzzer's for `fuzz`.
FUZZ_FILES  := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_NAMES  := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_FILES))
REPLAY_BINS := $(addprefix $(T)/replay_,$(FUZZ_NAMES))
FUZZ_BINS   := $(addprefix $(T)/fuzz_,$(FUZZ_NAMES))
$(foreach f,$(FUZZ_FILES),$(eval $(call test_binary,$(f:tests/fuzz/fuzz_%.c=$(T)/replay_%),\
	$(f) tests/fuzz/replay.c,$(call leftmost,$(f)))))
$(foreach f,$(FUZZ_FILES),$(eval $(call test_binary,$(f:tests/fuzz/%.c=$(T)/%),\
	$(f),$(call leftmost,$(f)),,-fsanitize=fuzzer)))

CHECK_BINS   := $(UNIT_BINS) $(MODEL_BINS) $(VECTOR_BINS) $(REPLAY_BINS)
CHECK_TESTS   = $(CHECK_BINS) $(wildcard tests/unit/*.sh) tests/tree/readmes.sh \
	tests/tree/manual.sh
# Those of the pure modules: few objects, so that a second build with sanitizers fits into every test run.
is_pure       = $(filter $(pure),$(call leftmost,$(1)))
PURE_BINS    := $(foreach m,$(filter $(pure),$(UNIT_MODULES)),$(T)/unit_$(m)) \
	$(foreach f,$(MODEL_FILES),$(if $(call is_pure,$(f)),$(call single,model,$(f)))) \
	$(foreach f,$(VECTOR_FILES),$(if $(call is_pure,$(f)),$(call single,vectors,$(f)))) \
	$(foreach f,$(FUZZ_FILES),$(if $(call is_pure,$(f)),$(f:tests/fuzz/fuzz_%.c=$(T)/replay_%)))
TREE_TESTS    = $(sort $(wildcard tests/tree/*.sh))
NETNS_TESTS   = $(sort $(wildcard tests/netns/*.sh))
INTEROP_TESTS = $(sort $(wildcard tests/interop/*.sh))
RUN          := XRS_BUILD=$(B) tests/run.sh
# Shell tests at the same time: they mostly wait for timers of BGP and for processes to start.
JOBS         ?= 3

.PHONY: tests check check-pure tree-test test bpf-test netns-test interop-test soak bench bench-dataplane profile fuzz fuzz-bins test-all
tests: $(CHECK_BINS) $(BPF_BINS) $(TOOL_BINS) $(BENCH_BGP) $(UPGRADES) $(PRELOADS)
check: $(CHECK_BINS) $(T)/tool_manual ## tests that need no root
	$(Q)$(RUN) $(CHECK_TESTS)
check-pure: $(PURE_BINS) ## the part of check that is without I/O: SAN=1 check-pure is quick
	$(Q)$(RUN) $(PURE_BINS)
tree-test: all ## format, cppcheck, READMEs, make install, sanitizers
	$(Q)$(RUN) $(TREE_TESTS)
unit-%: $(T)/unit_%
	$(Q)$(RUN) $<
test: ## install what is missing, build, run every test (root)
	$(Q)if [ -x deploy/install-deps.sh ]; then deploy/install-deps.sh; fi
	$(Q)$(MAKE) --no-print-directory test-all
test-all: all tests
	$(Q)$(RUN) -j $(JOBS) $(CHECK_TESTS) $(BPF_BINS) $(INTEROP_TESTS) $(NETNS_TESTS) \
		$(filter-out $(CHECK_TESTS),$(TREE_TESTS))
bpf-test: $(BPF_BINS) ## packets through the real program (root)
	$(Q)$(RUN) $(BPF_BINS)
netns-test: all $(TOOL_BINS) $(BENCH_BGP) $(UPGRADES) $(PRELOADS) ## real frames between namespaces (root)
	$(Q)$(RUN) -j $(JOBS) $(NETNS_TESTS)
interop-test: all ## against BIRD, FRR, GoBGP, OpenBGPD, ExaBGP (root)
	$(Q)$(RUN) -j $(JOBS) $(INTEROP_TESTS)
soak: ## long runs with sanitizers: XRS_SOAK_SECONDS, XRS_KILLS (root)
	$(Q)$(MAKE) --no-print-directory SAN=1 all build-san/tests/tool_frames \
		build-san/tests/test_bpf
	$(Q)XRS_BUILD=build-san tests/run.sh -v $(sort $(wildcard tests/soak/*.sh))
BENCH_DATAPLANE := $(addprefix tests/bench/,lookup.sh pps.sh tcp.sh)
bench-dataplane: all $(BENCH_LOOKUP) $(T)/tool_vmm ## measurements of the data plane alone (root)
	$(Q)$(RUN) -v $(BENCH_DATAPLANE)
bench: all $(BENCH_BGP) $(BENCH_LOOKUP) $(T)/tool_vmm $(T)/tool_frames $(UPGRADES) ## measurements (root)
	$(Q)$(RUN) -v $(sort $(filter-out %/profile.sh,$(wildcard tests/bench/*.sh)))
profile: ## where the time of a million routes goes: a flame graph in build-profile/ (root)
	$(Q)$(MAKE) --no-print-directory B=build-profile CFLAGS="-O2 -g -fno-omit-frame-pointer" \
		all build-profile/tests/bench_bgp
	$(Q)tests/bench/profile.sh

.PHONY: man
man: $(T)/tool_manual ## write the reference parts of the manual anew, from the tables
	$(Q)tests/tree/manual.sh write $(T)/tool_manual

# The whole tree again with clang's coverage and sanitizers, in a build directory of its own.
FUZZ_FLAGS := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz: ## run each fuzz target for FUZZ_SECONDS (60)
	$(Q)$(MAKE) --no-print-directory B=build-fuzz SAN= CC=$(CLANG) CFLAGS="$(FUZZ_FLAGS)" fuzz-bins
	$(Q)for name in $(FUZZ_NAMES); do \
		mkdir -p build-fuzz/corpus/$$name build-fuzz/crashes/$$name; \
		echo "fuzz $$name for $(FUZZ_SECONDS) s"; \
		build-fuzz/tests/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=build-fuzz/crashes/$$name/ build-fuzz/corpus/$$name \
			$$(ls -d tests/fuzz/corpus/$$name 2>/dev/null) || exit 1; \
	done
fuzz-bins: $(FUZZ_BINS)
