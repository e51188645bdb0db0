#include "pg/function.h"

extern "C" {
#pragma GCC visibility push(default)
#ifdef PG_MODULE_MAGIC_EXT
PG_MODULE_MAGIC_EXT(.name = "vrm", .version = VRM_VERSION);
#else
PG_MODULE_MAGIC;
#endif
#pragma GCC visibility pop
}
