#!/bin/sh
# A hundred dollars are one dollar when the price is a whole number.
#
# To expect: num2words(100, to="currency") is one hundred dollars, as it is for 100.0, for
#   Decimal(100) and for the text "100", and as num2words(100) is one hundred.
# Seen (num2words 0.5.10, 2026-12): an int is an amount in cents, in every language that was tried.
#   So 100 is one dollar, and 12 is twelve cents; 12.5 is twelve dollars and fifty cents. The source
#   says so, the description of the package does not. Where a language has a converter of its own
#   the rule is another one: in Brazilian Portuguese 100 is a hundred reais.
# It matters where an agent speaks prices: those of JSON are int or float by whether there is a
#   point, so that {"price": 99.5} is read out right and {"price": 100} is a hundredth of it.
#   Out of a column of type numeric, as Decimal, the same price is right, until it is JSON.
set -eu
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
command -v python3 >/dev/null || { echo 'SKIP: needs python3'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
apt-get download python3-num2words=0.5.10-2 python3-docopt=0.6.2-4.1 >log 2>&1 ||
    { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done

PYTHONPATH=root/usr/lib/python3/dist-packages timeout 60 python3 - <<'EOF'
import json
import sys
from decimal import Decimal
try:
    from num2words import num2words
except ImportError as error:
    print("SKIP:", error)
    sys.exit(77)
def check(what, seen, expected):
    print(f"{what}: {seen}")
    if seen != expected:
        sys.exit(f"CHANGED: {what} was {expected} when this was written")
def spoken(price, lang="en", **more):
    return num2words(price, lang=lang, to="currency", **more)
def of_json(text):
    return spoken(json.loads(text)["price"], currency="USD")
check("as a number", num2words(100), "one hundred")
check("as Decimal", spoken(Decimal(100), currency="USD"), "one hundred dollars, zero cents")
check('{"price": 99.5}', of_json('{"price": 99.5}'), "ninety-nine dollars, fifty cents")
check('{"price": 100}', of_json('{"price": 100}'), "one dollar, zero cents")
check('{"price": 12}', of_json('{"price": 12}'), "zero dollars, twelve cents")
check("in German", spoken(100, "de", currency="EUR"), "ein Euro und null Cent")
check("in Brazilian Portuguese", spoken(100, "pt_BR"), "cem reais")
EOF
