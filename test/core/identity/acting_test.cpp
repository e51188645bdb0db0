// Roles in organisations, and whom a person acts for.
#include "core/identity/acting.h"

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace vrm {
namespace {

constexpr const char* alice = "018f0000-0000-7000-8000-00000000000a";
constexpr const char* acme = "018f0000-0000-7000-8000-0000000000ff";

TEST(acting, roles_have_names_from_the_least_to_the_most) {
  for (const char* name : {"viewer", "member", "manager", "admin"})
    EXPECT_EQ(name_of(parse_team_role(name).value()), name);
  EXPECT_LT(parse_team_role("viewer"), parse_team_role("member"));
  EXPECT_LT(parse_team_role("manager"), parse_team_role("admin"));
  for (const char* name : {"", "Admin", "owner", "viewer "})
    EXPECT_FALSE(parse_team_role(name)) << name;
}

TEST(acting, is_read_as_it_is_written) {
  const acting choice = read_acting(std::string(alice) + ' ' + acme);
  EXPECT_EQ(choice.person, parse_uuid(alice));
  EXPECT_TRUE(choice.has_organisation);
  EXPECT_EQ(choice.organisation, parse_uuid(acme));
  EXPECT_EQ(to_string(choice), std::string(alice) + ' ' + acme);
}

TEST(acting, for_oneself_names_no_organisation) {
  const acting choice = read_acting(alice);
  EXPECT_EQ(choice.person, parse_uuid(alice));
  EXPECT_FALSE(choice.has_organisation);
  EXPECT_EQ(to_string(choice), alice);
}

TEST(acting, refuses_anything_else) {
  const std::string person = alice;
  for (const std::string& text : {std::string(), std::string("alice"), person + ' ', person + acme,
                                  person + " acme", person + ' ' + acme + ' ', ' ' + person}) {
    try {
      (void)read_acting(text);
      FAIL() << text;
    } catch (const vrm::error& e) {
      EXPECT_EQ(e.state(), sqlstate("22P02")) << text;
    }
  }
}

}  // namespace
}  // namespace vrm
