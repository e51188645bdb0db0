# Builds, installs and tests with PGXS alone:  make && make install && make installcheck
# CMakeLists.txt builds the same files with the same flags, plus the tests that need no server.
# Nothing is listed twice: both take the sources from the tree, the flags from compile_flags.txt,
# the version from the control file and the install script from sql/assemble.sh;
# test/build_parity.sh proves that they agree.

PG_CONFIG  ?= pg_config
EXT        := vrm
top        := $(dir $(lastword $(MAKEFILE_LIST)))
files       = $(patsubst $(top)%,%,$(sort $(wildcard $(addprefix $(top),$(1)))))
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(top)extension/$(EXT).control)

EXTENSION   = extension/$(EXT)
MODULE_big  = $(EXT)
OBJS        = $(patsubst %.cpp,%.o,$(call files,src/*/*/*.cpp))
steps       = $(notdir $(wildcard $(top)sql/upgrade/*--*))
released    = $(foreach step,$(steps),$(firstword $(subst --, ,$(step))))
update_sql  = $(foreach from,$(released),build/$(EXT)--$(from)--$(EXTVERSION).sql)
DATA_built  = build/$(EXT)--$(EXTVERSION).sql $(update_sql)
# Modules for tests, each of one file and the boundary; nothing installs them.
BOUNDARY     = $(filter src/boundary/%,$(OBJS))
TEST_SOURCES = $(call files,test/module/*.cpp)
TEST_OBJS    = $(TEST_SOURCES:.cpp=.o)
TEST_MODULES = $(patsubst test/module/%.cpp,build/%.so,$(TEST_SOURCES))
EXTRA_CLEAN  = build $(OBJS:.o=.d) $(TEST_OBJS) $(TEST_OBJS:.o=.d)

# -isystem: the warnings that PostgreSQL's own headers give are not ours
PG_CPPFLAGS = -I$(top)src -isystem $(shell $(PG_CONFIG) --includedir-server) \
              -DVRM_VERSION='"$(EXTVERSION)"'
# Errors say in which source they arose: from another directory, too, none of this machine.
PG_CXXFLAGS = @$(top)compile_flags.txt -MMD -MP \
              $(if $(filter-out ./,$(top)),-ffile-prefix-map=$(top)=)
SHLIB_LINK  = -lstdc++ -lcrypto -lcrypt -largon2 -lzstd -Wl,--version-script=$(top)src/exports.map \
              -Wl,-z,pack-relative-relocs

ISOLATION_SPECS = $(call files,test/isolation/specs/*/*.spec)
ISOLATION      = $(ISOLATION_SPECS:test/isolation/specs/%.spec=%)
ISOLATION_OPTS = --inputdir=$(top)test/isolation --outputdir=build/isolation --load-extension=$(EXT)

# JIT inlining gains nothing for functions that may throw, and building for it would need clang.
override with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# What a build was made of, in a file that changes only when that does: another server, or a
# source that is gone, leaves no newer file behind for make to notice.
sql_sources = $(sort $(wildcard $(addprefix $(top)sql/,order *.* */*/*.sql */*/*.css)))
remember    = $(shell echo '$(2)' | cmp -s - build/$(1) || echo '$(2)' >build/$(1))
# The directories are made while make reads this: a target could not tell that only some exist.
$(shell mkdir -p $(sort $(dir $(OBJS) $(TEST_OBJS))) build/isolation)
$(call remember,server,$(shell $(PG_CONFIG) --version --includedir-server))
$(call remember,objects,$(OBJS))
$(call remember,scripts,$(sql_sources))

# PGXS does not track headers; the compiler writes down which ones it read.
-include $(wildcard $(OBJS:.o=.d) $(TEST_OBJS:.o=.d))
# What runs once in a while, or has statements of its own take nearly all of the time, is made small
# instead of fast: reports, checks of an administrator, installing, sets of keys, retention, what
# other platforms report.
RARE = $(filter src/core/operations/% src/functions/operations/% src/core/calls/imports% \
         src/functions/calls/import% src/core/testing/% $(addprefix src/,$(addsuffix .o, \
         core/identity/jwk core/analytics/agreement $(addprefix functions/,analytics/estimators \
         identity/signing_keys identity/rpc_call platform/installer platform/platform \
         platform/views retention/archive retention/nodes retention/policies retention/retention \
         secrets/keys secrets/master_key secrets/sealed_column secrets/transfer testing/checks))), \
         $(OBJS))
$(RARE): override CXXFLAGS += -Os
$(OBJS) $(TEST_OBJS): $(top)compile_flags.txt $(top)Makefile build/server
$(shlib): $(top)src/exports.map $(top)Makefile build/objects
installcheck: pgtap isolation_results

$(DATA_built): $(sql_sources) $(top)extension/$(EXT).control $(top)Makefile build/scripts
build/$(EXT)--$(EXTVERSION).sql:
	$(top)sql/assemble.sh > $@
$(update_sql): build/$(EXT)--%--$(EXTVERSION).sql:
	$(top)sql/assemble.sh $* > $@

test_map = $(top)test/module/exports.map
$(TEST_MODULES): build/%.so: test/module/%.o $(BOUNDARY) $(test_map) $(top)Makefile build/objects
	$(CXX) $(CXXFLAGS) -shared -o $@ $(filter %.o,$^) $(LDFLAGS) -lstdc++ \
		-Wl,--version-script=$(test_map)

.PHONY: pgtap isolation_results bench dist test-modules
test-modules: $(TEST_MODULES)
# pg_isolation_regress makes the directory of its results, and none below it.
isolation_results:
	mkdir -p $(sort $(dir $(addprefix build/isolation/results/,$(ISOLATION))))
pgtap: test-modules
	VRM_TEST_MODULES=$(CURDIR)/build $(top)test/pgtap.sh $(bindir)
bench:
	$(top)bench/all.pl
# A release for PGXN, of what is committed.
release = $(EXT)-$(EXTVERSION)
dist:
	git -C $(or $(top),.) archive --format=zip --prefix=$(release)/ HEAD > build/$(release).zip
