#pragma once

#include <cstring>

#include "boundary/backend.h"

extern "C" {
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
}

namespace pg {

/// Values as text that says the same whoever writes it: ISO dates in UTC, every digit of a float,
/// bytes in hexadecimal, names with their schema.  Whatever is kept as text goes through here, or a
/// session could make two values look alike.
///
/// Runs inside a guard; an ERROR takes the settings back with its subtransaction.
class fixed_text {
 public:
  /// Text of a value, in the current memory context.
  char* of(Oid type, Datum value) {
    settle(type);
    Oid output = InvalidOid;
    bool is_varlena = false;
    getTypeOutputInfo(type, &output, &is_varlena);
    return OidOutputFunctionCall(output, value);
  }

  /// Name of something in a schema, quoted where it has to be.
  char* name(Oid schema, const char* name) {
    if (quote_all_identifiers) set("quote_all_identifiers", "off");
    return quote_qualified_identifier(get_namespace_name(schema), name);
  }

  /// Gives the session its own settings back.
  void end() {
    // `true` does not keep the values: GUC_ACTION_SAVE takes them back either way.
    if (level_ != 0) AtEOXact_GUC(true, level_);
    *this = {};
  }

 private:
  /// Most sessions have the right settings, so that it costs some comparisons.
  void settle(Oid type) {
    if (!settled_) {
      if (DateStyle != USE_ISO_DATES || DateOrder != DATEORDER_YMD) set("datestyle", "ISO, YMD");
      if (IntervalStyle != INTSTYLE_POSTGRES) set("intervalstyle", "postgres");
      // Since PostgreSQL 12 any value above 0 gives the shortest text that is read back exactly.
      if (extra_float_digits < 1) set("extra_float_digits", "3");
      if (bytea_output != BYTEA_OUTPUT_HEX) set("bytea_output", "hex");
      if (!is_utc()) set("timezone", "UTC");
      settled_ = true;
    }
    if (!names_settled_ && may_have_names(type)) {
      set("search_path", "pg_catalog, pg_temp");
      set("quote_all_identifiers", "off");
      set("lc_monetary", "C");
      names_settled_ = true;
    }
  }

  /// Names of zones that are never anything but UTC; others are set to it.
  static bool is_utc() {
    const char* const zone = pg_get_timezone_name(session_timezone);
    return std::strcmp(zone, "UTC") == 0 || std::strcmp(zone, "Etc/UTC") == 0 ||
           std::strcmp(zone, "GMT") == 0;
  }

  /// Whether a value of the type may be written as the name of something, as money, or by code
  /// that is not PostgreSQL's own.
  static bool may_have_names(Oid type) {
    const Oid element = get_element_type(type);
    if (OidIsValid(element)) type = element;
    switch (type) {
      case REGPROCOID:
      case REGPROCEDUREOID:
      case REGOPEROID:
      case REGOPERATOROID:
      case REGCLASSOID:
      case REGCOLLATIONOID:
      case REGTYPEOID:
      case REGROLEOID:
      case REGNAMESPACEOID:
      case REGCONFIGOID:
      case REGDICTIONARYOID:
      case MONEYOID:
      case RECORDOID:
        return true;
      default:
        // Types from this OID on are made by SQL scripts: their output functions may be anybody's.
        return type >= FirstGenbkiObjectId && !type_is_enum(type);
    }
  }

  void set(const char* name, const char* value) {
    if (level_ == 0) level_ = NewGUCNestLevel();
    set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  }

  int level_ = 0;
  bool settled_ = false;
  bool names_settled_ = false;
};

}  // namespace pg
