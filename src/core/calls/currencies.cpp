// Currencies that a call may cost.
#include "core/calls/currencies.h"

#include <algorithm>
#include <array>

namespace vrm {
namespace {

// ISO 4217, list one, without funds, metals and codes for tests; with ANG and BGN,
// withdrawn in 2025 and 2026
constexpr std::string_view codes =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD "
    "BTN BWP BYN BZD "
    "CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW "
    "KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR "
    "MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX "
    "USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG";
// A code and the space behind it.
constexpr std::size_t stride = 4;

}  // namespace

bool is_currency(std::string_view code) noexcept {
  if (code.size() != stride - 1) return false;
  for (std::size_t at = 0; at < codes.size(); at += stride) {
    if (codes.substr(at, stride - 1) == code) return true;
  }
  return false;
}

}  // namespace vrm
