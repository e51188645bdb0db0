#!/bin/sh
# A comparison that could not be made is significant.
#
# To expect: of several tests, one that has no p-value, as when both agents passed every case, is
#   left out when p-values are corrected for their number, as R does it; or it is refused, or no
#   hypothesis is rejected for it. The p-values of the others stay what they are without it.
# Seen (statsmodels 0.13.5, with the NaN that its own proportions_ztest gives, 2026-12): NaN counts
#   as one of the tests, and multipletests with Holm's method, and with its default, rejects its
#   hypothesis, with a corrected p-value of NaN, when all others are rejected. By Benjamini and
#   Hochberg no corrected p-value is left, while the decisions are made all the same; by Hommel
#   nothing is rejected any more. Nothing is said of NaN in the documentation of the function.
# It matters where two versions of an agent are compared in many scenarios: those that both pass in
#   every call are the most, give NaN, and are reported as differences; and the others, with more
#   tests to be corrected for, are as significant as if each of these had been one.
set -eu
packages='python3-statsmodels=0.13.5+dfsg-7 python3-statsmodels-lib=0.13.5+dfsg-7
    python3-scipy=1.10.1-2 python3-numpy=1:1.24.2-1+deb12u1 python3-pandas=1.5.3+dfsg-2
    python3-pandas-lib=1.5.3+dfsg-2 python3-patsy=0.5.3-1 python3-dateutil=2.8.2-2
    python3-tz=2022.7.1-4 python3-six=1.16.0-4 python3-packaging=23.0-1
    python3-decorator=5.1.1-3 libblas3=3.11.0-2 liblapack3=3.11.0-2
    libgfortran5=12.2.0-14+deb12u1 libquadmath0=12.2.0-14+deb12u1 liblbfgsb0=3.0+dfsg.4-1'
command -v apt-get >/dev/null || { echo 'SKIP: needs the packages of Debian 12'; exit 77; }
command -v python3 >/dev/null || { echo 'SKIP: needs python3'; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"
# shellcheck disable=SC2086 # a list
apt-get download $packages >log 2>&1 || { tail -n 1 log; echo 'SKIP: a version is gone'; exit 77; }
for package in *.deb; do dpkg -x "$package" root; done
# The libraries of the algebra have folders of their own.
LD_LIBRARY_PATH=$(printf '%s:' root/usr/lib/*-linux-gnu root/usr/lib/*-linux-gnu/*/)
export LD_LIBRARY_PATH PYTHONPATH=root/usr/lib/python3/dist-packages

timeout 100 python3 -W ignore - <<'EOF'
import sys
try:
    from numpy import isnan, nan
    from statsmodels.stats.multitest import multipletests
    from statsmodels.stats.proportion import proportions_ztest
except ImportError as error:
    print("SKIP:", error)
    sys.exit(77)
def check(what, seen, expected):
    print(f"{what}: {seen}")
    if seen != expected:
        sys.exit(f"CHANGED: {what} was {expected} when this was written")
def corrected(values, method):
    rejected, p, _, _ = multipletests(values, method=method)
    return " ".join(f"{value:.3f}{'*' if star else ''}" for star, value in zip(rejected, p))
_, missing = proportions_ztest([20, 20], [20, 20])
check("20 of 20 against 20 of 20", bool(isnan(missing)), True)
three, four = [0.001, 0.01, 0.02], [0.001, 0.01, 0.02, missing]
print("corrected, those that are significant with a star:")
check("Holm, three tests", corrected(three, "holm"), "0.003* 0.020* 0.020*")
check("Holm, and one without p", corrected(four, "holm"), "0.004* 0.030* 0.040* nan*")
check("default, and one without p", corrected(four, "hs"), "0.004* 0.030* 0.040* nan*")
check("Benjamini-Hochberg, three", corrected(three, "fdr_bh"), "0.003* 0.015* 0.020*")
check("Benjamini-Hochberg, and one without p", corrected(four, "fdr_bh"), "nan* nan* nan* nan")
check("Hommel, three", corrected(three, "hommel"), "0.003* 0.020* 0.020*")
check("Hommel, and one without p", corrected(four, "hommel"), "nan nan nan nan")
check("Holm, not all significant", corrected([0.001, 0.9, missing], "holm"), "0.003* 1.000 nan")
EOF
