// Lets the test suite compare what SQL says of each native function with what C++ says.  It stands
// in the product because only the module itself knows what it exports.
#include "boundary/call/signatures.h"

PG_EXPORT(vrm_native_signatures, pg::signatures);
