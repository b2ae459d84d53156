# SPDX-License-Identifier: GPL-2.0-only
# make install, deb, demo.
PREFIX       ?= /usr
SBINDIR      ?= $(PREFIX)/sbin
BINDIR       ?= $(PREFIX)/bin
SYSCONFDIR   ?= /etc
UNITDIR      ?= /lib/systemd/system
SYSUSERSDIR  ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR  ?= $(PREFIX)/lib/tmpfiles.d
MANDIR       ?= $(PREFIX)/share/man
COMPLETIONS  ?= $(PREFIX)/share/bash-completion/completions
DOCDIR       ?= $(PREFIX)/share/doc/xrs

.PHONY: install deb demo deps
install: all ## install below DESTDIR (never touches an existing xrs.json)
	install -D -m 755 $(B)/xrsd $(DESTDIR)$(SBINDIR)/xrsd
	install -D -m 755 $(B)/xrsctl $(DESTDIR)$(BINDIR)/xrsctl
	install -d $(DESTDIR)$(UNITDIR)
	sed -e 's,@SBINDIR@,$(SBINDIR),; s,@BINDIR@,$(BINDIR),' deploy/systemd/xrsd.service | \
		install -m 644 /dev/stdin $(DESTDIR)$(UNITDIR)/xrsd.service
	install -D -m 644 deploy/systemd/xrs.sysusers $(DESTDIR)$(SYSUSERSDIR)/xrs.conf
	install -D -m 644 deploy/systemd/xrs.tmpfiles $(DESTDIR)$(TMPFILESDIR)/xrs.conf
	install -d $(DESTDIR)$(SYSCONFDIR)/xrs
	test -e $(DESTDIR)$(SYSCONFDIR)/xrs/xrs.json || \
		install -m 640 deploy/examples/minimal.json $(DESTDIR)$(SYSCONFDIR)/xrs/xrs.json
	for page in deploy/man/*.[0-9]; do \
		install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(DESTDIR)$(COMPLETIONS)
	$(B)/xrsctl completion bash | install -m 644 /dev/stdin $(DESTDIR)$(COMPLETIONS)/xrsctl
	install -d $(DESTDIR)$(DOCDIR)/examples
	install -m 644 deploy/examples/*.json $(DESTDIR)$(DOCDIR)/examples
	install -m 644 deploy/prometheus/alerts.yml deploy/prometheus/dashboard.json $(DESTDIR)$(DOCDIR)/examples

# dpkg-buildpackage wants debian/ at the top: a copy of what git tracks.
DEB_TREE := build-deb/xrs-$(VERSION)
deb: ## build the Debian package into build-deb (needs debhelper)
	rm -rf build-deb && mkdir -p $(DEB_TREE)
	git archive HEAD | tar -x -C $(DEB_TREE)
	cp -r $(DEB_TREE)/deploy/debian $(DEB_TREE)/debian
	cd $(DEB_TREE) && dpkg-buildpackage -b -us -uc

deps: ## install what build, demo and tests need (root)
	@deploy/install-deps.sh

# A second make, because pkg-config is asked when the Makefile is read.
demo: deps ## the whole job in network namespaces, shown and asserted (root)
	@$(MAKE) --no-print-directory all
	@deploy/demo.sh run
