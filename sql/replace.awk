# Turns the statements that make members into ones that replace them, for update scripts.  A
# statement begins in the first column and ends with the line that ends in a semicolon, outside of
# dollar quotes.
#
# Types, casts, operators and the like cannot be replaced: a new one is made by the step's
# library.sql.  Privileges on what is there already are the DBA's: only new routines are granted, at
# the end.

# The outermost dollar quote that is open after the line; what stands in it is not looked at.
function quote_after(line, quote,  tag) {
    while (match(line, /\$[a-z_]*\$/)) {
        tag = substr(line, RSTART, RLENGTH)
        if (quote == "") quote = tag
        else if (quote == tag) quote = ""
        line = substr(line, RSTART + RLENGTH)
    }
    return quote
}

statement == "" && /^CREATE (TYPE|CAST|OPERATOR|ACCESS METHOD|EVENT TRIGGER) / { skipped = 1 }
statement == "" && /^GRANT EXECUTE ON / { skipped = 1; granting = 1 }
statement == "" && /^CREATE (FUNCTION|PROCEDURE|AGGREGATE) / { sub(/^CREATE/, "CREATE OR REPLACE") }
statement == "" && /^(--|$)/ { if (!blank || $0 != "") print; blank = ($0 == ""); next }
{
    # only grants are looked at as a whole: others may be as long as the platform
    statement = (granting ? statement $0 : "open") "\n"
    quote = quote_after($0, quote)
    if (!skipped) print
    blank = 0
    line = $0
    sub(/ +--.*$/, "", line)
    if (quote == "" && line ~ /;$/) {
        if (granting) grants[++granted] = statement
        statement = ""
        skipped = granting = 0
    }
}
END {
    if (granted == 0) exit
    print "DO $$"
    print "DECLARE"
    print "    routine text;"
    print "    granted record;"
    print "BEGIN"
    print "    FOR granted IN SELECT * FROM (VALUES"
    for (i = 1; i <= granted; i++) {
        routines = roles = grants[i]
        gsub(/[ \n]+/, " ", routines)
        sub(/^GRANT EXECUTE ON [A-Z]+ /, "", routines)
        roles = routines
        sub(/ TO .*$/, "", routines)
        sub(/^.* TO /, "", roles)
        sub(/; *$/, "", roles)
        last = i == granted ? ") AS g (routines, roles)" : ","
        printf "        ('%s', '%s')%s\n", routines, roles, last
    }
    while ((getline line < "grant_new.sql") > 0) print line
}
