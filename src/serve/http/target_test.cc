#include "serve/http/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tachostat::serve {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Target, DecodesSegmentsAndQuery) {
  const auto target = parse_target("/v2/models/a%2Fb%20c/x?q=1+2&flag&q=3&u=%C3%A9#f");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->segments, ElementsAre("v2", "models", "a/b c", "x"));
  EXPECT_THAT(target->query, ElementsAre(Pair("flag", ""), Pair("q", "1 2"), Pair("u", "é")));
}

TEST(Target, TakesTheAbsoluteForm) {
  EXPECT_THAT(parse_target("http://host:1/v2?a=b")->segments, ElementsAre("v2"));
  EXPECT_THAT(parse_target("http://host")->segments, ElementsAre(""));
}

TEST(Target, RefusesWhatIsNoPath) {
  for (const char* bad :
       {"", "*", "v2", "host:80", "/%", "/%4", "/%zz", "/%00", "/a%0d%0ab", "/?a=%f"}) {
    EXPECT_EQ(parse_target(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(Router, PrefersLiteralsAndTellsMethods) {
  Router router;
  const int model = router.add("GET", "/v2/models/{model}");
  const int stats = router.add("GET", "/v2/models/stats");
  const int targets = router.add("GET", "/m/{name}/targets");
  const int put = router.add("PUT", "/m/{name}/targets");
  EXPECT_EQ(router.match("GET", {"v2", "models", "x"}).route, model);
  EXPECT_THAT(router.match("GET", {"v2", "models", "x"}).parameters,
              ElementsAre(Pair("model", "x")));
  EXPECT_EQ(router.match("HEAD", {"v2", "models", "stats"}).route, stats);
  EXPECT_EQ(router.match("GET", {"m", "a", "targets"}).route, targets);
  EXPECT_EQ(router.match("PUT", {"m", "a", "targets"}).route, put);
  const Router::Match wrong = router.match("POST", {"m", "a", "targets"});
  EXPECT_EQ(wrong.route, -1);
  EXPECT_EQ(wrong.allow, "GET, PUT");
  EXPECT_EQ(router.match("GET", {"v2", "models", ""}).allow, "");
  EXPECT_EQ(router.match("GET", {}).route, -1);
  EXPECT_EQ(router.match("GET", {"v2", "models", "x", "y"}).route, -1);
}

}  // namespace
}  // namespace tachostat::serve
