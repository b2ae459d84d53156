# SPDX-License-Identifier: GPL-2.0-only
# One non-recursive file. `make help` lists the targets; V=1 shows commands, SAN=1 builds with
# ASan and UBSan (into build-san/, so that both builds live side by side).

B        := build
CC       := gcc
CLANG    ?= clang
BPFTOOL  ?= $(shell command -v bpftool 2>/dev/null || echo /usr/sbin/bpftool)
VERSION  := 0.1.0
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	    -Wno-unused-parameter -Wformat=2
PKGS     := libbpf libmnl libnl-3.0 libnl-route-3.0 jansson libmd
# Where dataplane.h is: tests build with changed ones.
LAYOUT   ?= include
CPPFLAGS += -I$(LAYOUT) -Iinclude -I$(B)/gen -D_GNU_SOURCE -DXRS_VERSION='"$(VERSION)"' \
	    $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LIBS     := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpthread

ifdef SAN
B        := build-san
CFLAGS   += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
# What a million routes go through is optimised as a whole when xrsd is linked: an eighth less processor time. Its
# objects hold plain code as well, which everything else is linked from (NO_LTO).
ifeq ($(SAN)$(findstring clang,$(CC)),)
HOT_FLAGS ?= -O3 -flto -ffat-lto-objects
LTO       := $(if $(HOT_FLAGS),-O3 -flto=auto)
endif
NO_LTO   := -fno-lto
HOT      := $(foreach m,rib bgp util vnet,user/$(m)/%) user/fib/fib_plan% user/fib/plan_% \
	    $(foreach f,journal node_peering node_vnet session session_conn,user/agent/$(f).c)
ifndef V
Q        := @
say       = @printf '  %-7s %s\n' $(1) $(2)
endif

# Calls point one way: each library may use those to its right.
MODULES  := ctl api agent net fib vnet rib bgp bfd util
lib_objs  = $(patsubst %.c,$(B)/%.o,$(wildcard user/$(1)/*.c))
LIBA     := $(foreach m,$(MODULES),$(B)/lib$(m).a)
MAIN_O   := $(B)/user/agent/main.o
CTL_O    := $(B)/user/ctl/main.o
CTL_LIBA := $(foreach m,ctl agent fib vnet rib bfd bgp util,$(B)/lib$(m).a)

.PHONY: all
all: $(B)/xrsd $(B)/xrsctl

# --- BPF: clang compiles, bpftool writes the skeleton that loader.c includes -----------------
# As the kernel does without strict aliasing: packets and copies of them are read in words of any size.
BPF_HDRS := $(wildcard bpf/*.h) $(LAYOUT)/dataplane.h
$(B)/gen/xrs.bpf.o: bpf/xrs.bpf.c $(BPF_HDRS) Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$<)
	$(Q)$(CLANG) -O2 -g -fno-strict-aliasing -target bpf -mcpu=v3 -Wall -Werror -I$(LAYOUT) -Iinclude \
		-I/usr/include/$(shell uname -m)-linux-gnu -c $< -o $@.tmp
	$(Q)$(BPFTOOL) gen object $@ $@.tmp && rm -f $@.tmp
$(B)/gen/xrs.skel.h: $(B)/gen/xrs.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name xrs_bpf > $@.tmp && mv $@.tmp $@

# --- userspace ---------------------------------------------------------------------------
$(B)/user/fib/loader.o: $(B)/gen/xrs.skel.h
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(if $(filter $(HOT),$<),$(HOT_FLAGS)) $(WARN) -std=gnu11 \
		-MMD -MP -c $< -o $@
define archive
$(B)/lib$(1).a: $(filter-out $(MAIN_O) $(CTL_O),$(call lib_objs,$(1)))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@; ar rcsD $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call archive,$(m))))
$(B)/xrsd: $(MAIN_O) $(LIBA)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) $(MAIN_O) -Wl,--start-group $(LIBA) -Wl,--end-group $(LIBS) -o $@
# It speaks to the daemon over the socket only. libfib is for `dataplane detach`, which needs no daemon, and
# of libagent it has the configuration: files that are read here.
$(B)/xrsctl: $(CTL_O) $(CTL_LIBA)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(NO_LTO) $(LDFLAGS) $(CTL_O) -Wl,--start-group $(CTL_LIBA) -Wl,--end-group $(LIBS) -o $@

-include tests/tests.mk
-include deploy/install.mk

.PHONY: format lint clean help
SOURCES := $(shell find user include bpf tests -name '*.[ch]' 2>/dev/null)
format: ## apply clang-format to the tree
	$(Q)clang-format -i $(SOURCES)
lint: lint-format lint-cppcheck ## clang-format and cppcheck, warnings are errors
.PHONY: lint-format lint-cppcheck
lint-format:
	$(Q)clang-format --dry-run -Werror $(SOURCES)
lint-cppcheck:
	@mkdir -p $(B)/cppcheck
	$(Q)cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
		--suppressions-list=tests/cppcheck.txt --library=tests/cppcheck.cfg \
		--cppcheck-build-dir=$(B)/cppcheck -Iinclude -j2 user
clean: ## remove what was built
	$(Q)rm -rf build build-san build-fuzz build-deb
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n",$$1,$$2}' $(MAKEFILE_LIST)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
