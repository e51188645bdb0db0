#include "core/identity/identity.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "core/platform/error.h"
#include "core/platform/json.h"

namespace vrm {
namespace {

/// Far beyond any date, and far from overflow in microseconds when a leeway is added.
constexpr double latest = 9e12;

vrm::error invalid(std::string_view claim, std::string_view reason) {
  return vrm::error("22P02", "invalid claims")
      .detail("Claim \"" + std::string(claim) + "\" " + std::string(reason) + ".")
      .hint(R"(Claims look like {"sub": UUID, "role": "authenticated", "exp": SECONDS}.)");
}

/// Copies a string claim, whose last byte has to stay NUL, into `target`.
/// `target` is zeros before, which ends the text.
template <std::size_t Size>
void copy_claim(const json::value& claims, std::string_view name, std::array<char, Size>& target) {
  const std::optional<json::value> claim = claims.find(name);
  if (!claim || claim->is(json::kind::null)) return;
  const std::optional<std::string> text = claim->string();
  if (!text) throw invalid(name, "is not a string");
  if (text->size() >= Size) throw invalid(name, "is too long");
  std::copy(text->begin(), text->end(), target.begin());
}

std::int64_t read_expiry(const json::value& claims) {
  const std::optional<json::value> claim = claims.find("exp");
  if (!claim) return identity::never;
  const std::optional<double> seconds = claim->number();
  if (!seconds) throw invalid("exp", "is not a number");
  return static_cast<std::int64_t>(std::floor(std::clamp(*seconds, -latest, latest)));
}

json::value object_of(const json::document& document) {
  const json::value root = document.root();
  if (!root.is(json::kind::object))
    throw vrm::error("22P02", "invalid claims")
        .detail("They are not a JSON object.")
        .hint(R"(Claims look like {"sub": UUID, "role": "authenticated", "exp": SECONDS}.)");
  return root;
}

}  // namespace

identity read_identity(std::string_view claims) {
  const json::document document(claims);
  const json::value root = object_of(document);

  identity who;
  who.expires_at = read_expiry(root);
  if (const std::optional<json::value> subject = root.find("sub")) {
    const std::optional<uuid> user = parse_uuid(subject->string().value_or(""));
    // Not refused: tokens of other issuers may call people by other names than ours.
    who.has_user = user.has_value();
    who.user = user.value_or(uuid{});
  }
  if (const std::optional<json::value> issuer = root.find("iss");
      issuer && issuer->string() == own_issuer) {
    const std::optional<json::value> session = root.find("session_id");
    who.has_session = true;
    // Without a valid id it is the session of zeros, which nobody has begun and which so is over.
    who.session = parse_uuid(session ? session->string().value_or("") : "").value_or(uuid{});
  }
  if (const std::optional<json::value> choice = root.find("act_as");
      choice && !choice->is(json::kind::null)) {
    // Never ignored: what is meant for an organisation must not become the person's.
    const std::optional<uuid> organisation = parse_uuid(choice->string().value_or(""));
    if (!organisation) throw invalid("act_as", "is not a UUID");
    who.has_organisation = true;
    who.organisation = *organisation;
  }
  const std::optional<json::value> anonymous = root.find("is_anonymous");
  who.is_anonymous = anonymous && anonymous->is_true();
  copy_claim(root, "role", who.role);
  copy_claim(root, "aal", who.assurance);
  return who;
}

std::optional<foreign_subject> read_foreign_subject(std::string_view claims) {
  const json::document document(claims);
  const json::value root = object_of(document);
  const std::optional<json::value> subject = root.find("sub");
  const std::optional<json::value> issuer = root.find("iss");
  const std::string name = subject ? subject->string().value_or("") : "";
  if (name.empty() || parse_uuid(name)) return std::nullopt;
  return foreign_subject{.issuer = issuer ? issuer->string().value_or("") : "", .subject = name};
}

std::string with_user(std::string_view claims, const uuid& user) {
  const json::document document(claims);
  std::string text;
  const auto name = [&text](std::string_view member) {
    text += text.empty() ? '{' : ',';
    json::append_quoted(text, member);
    text += ':';
  };
  name("sub");
  json::append_quoted(text, to_string(user));
  for (const json::member& member : object_of(document).members()) {
    // Nobody but the issuer's sub may come to stand there.
    if (member.name == "external_sub") continue;
    name(member.name == "sub" ? "external_sub" : std::string_view(member.name));
    json::append(text, member.value);
  }
  return text += '}';
}

}  // namespace vrm
