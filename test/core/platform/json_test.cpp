// The JSON reader for what strangers send.
#include "core/platform/json.h"

#include <gtest/gtest.h>

#include "core/platform/error.h"

namespace vrm::json {
namespace {

bool is_refused(std::string_view text) {
  try {
    (void)document(text);
    return false;
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.state().text(), "22P02");
    return true;
  }
}

TEST(json, finds_members_of_every_kind) {
  const document read(R"( {"s": "text", "n": -1.5e2, "t": true, "f": false, "z": null,
                          "a": [1, [2], {"b": 3}], "o": {"inner": {"x": "y"}}} )");
  const value root = read.root();
  EXPECT_EQ(root.find("s")->string(), "text");
  EXPECT_EQ(root.find("n")->number(), -150);
  EXPECT_TRUE(root.find("t")->is_true());
  EXPECT_FALSE(root.find("f")->is_true());
  EXPECT_TRUE(root.find("z")->is(kind::null));
  EXPECT_EQ(root.find("a")->elements().size(), 3U);
  EXPECT_EQ(root.find("a")->elements()[2].find("b")->number(), 3);
  EXPECT_EQ(root.find("o")->find("inner")->find("x")->string(), "y");
  EXPECT_EQ(root.find("o")->text(), R"({"inner": {"x": "y"}})");
  EXPECT_FALSE(root.find("inner")) << "a member of a member is none of ours";
  EXPECT_FALSE(root.find("text")) << "a value is not a name";
}

TEST(json, finds_members_in_another_spelling) {
  const document read(R"({"startTime": 1, "CallSid": 2, "end__time_": 3, "a": 4, "ab": 5})");
  const auto found = [&](std::string_view name) {
    const auto at = read.root().find_respelled(name);
    return at ? std::string(at->text()) : std::string("none");
  };
  EXPECT_EQ(found("start_time"), "1");
  EXPECT_EQ(found("call_sid"), "2");
  EXPECT_EQ(found("endTime"), "3");
  EXPECT_EQ(found("A_b"), "5");
  EXPECT_EQ(found("start_times"), "none");
  EXPECT_EQ(found("start_tim"), "none");
  EXPECT_FALSE(document("[1]").root().find_respelled("a").has_value());
}

TEST(json, resolves_escapes) {
  const document read(R"({"\u0061": "\"\\\/\b\f\n\r\t\u00e9\u20AC\uD83D\uDE00"})");
  EXPECT_EQ(read.root().find("a")->string(), "\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600");
  EXPECT_TRUE(read.root().find("a")->equals("\"\\/\b\f\n\r\t\u00e9\u20ac\U0001F600"));
}

TEST(json, types_do_not_pass_for_each_other) {
  const document read(R"(["1", 1, true])");
  const auto elements = read.root().elements();
  EXPECT_FALSE(elements[0].number());
  EXPECT_FALSE(elements[1].string());
  EXPECT_FALSE(elements[1].equals("1"));
  EXPECT_FALSE(elements[2].number());
  EXPECT_FALSE(read.root().find("1"));
  EXPECT_TRUE(elements[0].elements().empty());
}

TEST(json, refuses_duplicate_members_at_any_depth) {
  EXPECT_TRUE(is_refused(R"({"a": 1, "a": 1})"));
  EXPECT_TRUE(is_refused(R"({"a": 1, "\u0061": 1})"));
  EXPECT_TRUE(is_refused(R"({"o": [{"a": 1, "b": {}, "a": 2}]})"));
  EXPECT_FALSE(is_refused(R"({"a": {"a": 1}, "A": 2, "b": "a"})"));
}

TEST(json, refuses_what_is_not_json) {
  for (const char* text : {"",           " ",         "{",
                           "}",          "[1,]",      "{\"a\":}",
                           "{\"a\" 1}",  "{a: 1}",    "{\"a\": 1,}",
                           "[1 2]",      "nul",       "True",
                           "'a'",        "\"a",       "\"\x01\"",
                           "\"\\x\"",    "\"\\u12\"", "\"\\u12G4\"",
                           "01",         "1.",        ".5",
                           "+1",         "1e",        "-",
                           "--1",        "0x10",      "NaN",
                           "Infinity",   "1 1",       "{} x",
                           "[1]]",       "\"\\",      "{\"a\": 1 \"b\": 2}",
                           "[\"a\": 1]", "{,}",       "//\n1"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(json, refuses_nul_in_every_spelling) {
  EXPECT_TRUE(is_refused(R"("\u0000")"));
  EXPECT_TRUE(is_refused(std::string_view("\"a\0b\"", 5)));
  EXPECT_TRUE(is_refused(std::string_view("1\0", 2)));
}

TEST(json, refuses_lone_surrogates) {
  for (const char* text : {R"("\uD800")", R"("\uDC00")", R"("\uD800\u0041")", R"("\uD800x")",
                           R"("\uDC00\uD800")", R"("\uD800\uD800")"}) {
    EXPECT_TRUE(is_refused(text)) << text;
  }
}

TEST(json, refuses_numbers_beyond_a_double) {
  EXPECT_TRUE(is_refused("1e309"));
  EXPECT_TRUE(is_refused("-1e999999999"));
  EXPECT_FALSE(is_refused("1e308"));
}

TEST(json, nests_32_levels_and_no_more) {
  EXPECT_FALSE(is_refused(std::string(32, '[') + std::string(32, ']')));
  EXPECT_TRUE(is_refused(std::string(33, '[') + std::string(33, ']')));
  EXPECT_TRUE(is_refused(std::string(100000, '[')));
}

TEST(json, says_where) {
  try {
    (void)document("{\"a\": x}");
    FAIL();
  } catch (const vrm::error& e) {
    EXPECT_EQ(e.detail(), "There is no value at byte 7.");
  }
}

TEST(json, knows_where_a_value_is) {
  const document read(R"({"a": [1, {"b/c~": [[], 7]}], "d": {}})");
  const value root = read.root();
  EXPECT_EQ(root.pointer(), "");
  EXPECT_EQ(root.find("a")->pointer(), "/a");
  EXPECT_EQ(root.find("a")->elements()[1].find("b/c~")->elements()[1].pointer(), "/a/1/b~1c~0/1");
  EXPECT_EQ(root.find("d")->pointer(), "/d");
}

TEST(json, gives_members_in_their_order) {
  const document read(R"({"b": 1, "\u0061": [2, 3], "c": {"d": 4}})");
  const auto members = read.root().members();
  ASSERT_EQ(members.size(), 3U);
  EXPECT_EQ(members[1].name, "a");
  EXPECT_EQ(members[1].value.elements()[1].number(), 3);
  EXPECT_EQ(members[2].value.find("d")->number(), 4);
  EXPECT_TRUE(read.root().find("b")->members().empty());
}

TEST(json, writes_what_it_has_read) {
  const document read(
      R"( {"a\u0022": ["\u00e9\n\u0007", -1.50, true, null, {}, []], "b": {"c": "/"}} )");
  std::string text;
  append(text, read.root());
  EXPECT_EQ(text,
            "{\"a\\\"\":[\"\u00e9\\u000a\\u0007\",-1.50,true,null,{},[]],\"b\":{\"c\":\"/\"}}");
}

TEST(json, mends_what_no_string_may_hold) {
  const auto mended = [](std::string text) {
    const std::size_t count = mend(text);
    return std::to_string(count) + " " + text;
  };
  EXPECT_EQ(mended(R"(["\u0000", "x\uD800y", "\uDC00\uD800"])"),
            "4 [\"\uFFFD\", \"x\uFFFDy\", \"\uFFFD\uFFFD\"]");
  EXPECT_EQ(mended(std::string("[\"a\0b\"]", 7)), "1 [\"a\uFFFDb\"]");
  EXPECT_EQ(mended(R"(["\\u0000", "\uD83D\uDE00", "\u00"])"),
            R"(0 ["\\u0000", "\uD83D\uDE00", "\u00"])");
  EXPECT_EQ(mended("\\"), "0 \\");
}

TEST(json, utf8_is_checked_to_the_letter) {
  for (const char* good :
       {"", "a", "\u00e9", "\u20ac", "\U0001F600", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xC3", "\xE2\x82",
        "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "a\xE2(\xA1"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
  EXPECT_FALSE(is_utf8(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace vrm::json
