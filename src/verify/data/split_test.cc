#include "verify/data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/status.h"
#include "verify/data/test_data.h"

namespace tachostat::verify {
namespace {

using testing::HasSubstr;

std::unique_ptr<const Dataset> data_of(std::size_t samples, std::size_t classes) {
  const TestFolder folder;
  const auto count = static_cast<std::int64_t>(samples);
  std::map<std::string, std::string> members = {
      {"x", f32({count, 1}, std::vector<float>(samples))}};
  if (classes > 0) {
    std::vector<std::int64_t> labels(samples);
    for (std::size_t i = 0; i < samples; ++i) labels[i] = static_cast<std::int64_t>(i % classes);
    members["labels"] = npy("<i8", {count}, labels);
  }
  return Dataset::open(folder.npz("d.npz", members), model_of({1, 1})).value();
}

std::vector<std::size_t> all_of(const Splits& splits) {
  std::vector<std::size_t> all = splits.search;
  all.insert(all.end(), splits.selection.begin(), splits.selection.end());
  all.insert(all.end(), splits.report.begin(), splits.report.end());
  return all;
}

TEST(Split, DealsEverySampleOnce) {
  for (const std::size_t samples : {40u, 41u, 1000u}) {
    const auto splits = split(*data_of(samples, 0), 1);
    ASSERT_TRUE(splits.ok()) << splits.status();
    std::vector<std::size_t> all = all_of(*splits);
    std::sort(all.begin(), all.end());
    ASSERT_EQ(all.size(), samples);
    for (std::size_t i = 0; i < samples; ++i) EXPECT_EQ(all[i], i);
    for (const auto* part : {&splits->search, &splits->selection, &splits->report}) {
      EXPECT_GE(part->size(), kLeastPerSplit);
    }
    EXPECT_NEAR(static_cast<double>(splits->report.size()), 0.5 * static_cast<double>(samples), 1);
  }
}

TEST(Split, IsTheSameForTheSameSeed) {
  const auto data = data_of(100, 3);
  EXPECT_EQ(all_of(*split(*data, 7)), all_of(*split(*data, 7)));
  EXPECT_NE(all_of(*split(*data, 7)), all_of(*split(*data, 8)));
  // The same on every machine.
  EXPECT_THAT(split(*data, 7)->selection, testing::SizeIs(20));
}

TEST(Split, SpreadsEveryClass) {
  const auto data = data_of(400, 10);
  const auto splits = split(*data, 3);
  for (std::int64_t label = 0; label < 10; ++label) {
    const auto count = [&](const std::vector<std::size_t>& part) {
      return std::count_if(part.begin(), part.end(),
                           [&](std::size_t i) { return data->labels().classes[i] == label; });
    };
    EXPECT_NEAR(static_cast<double>(count(splits->search)), 12, 1);
    EXPECT_NEAR(static_cast<double>(count(splits->selection)), 8, 1);
    EXPECT_NEAR(static_cast<double>(count(splits->report)), 20, 1);
  }
}

TEST(Split, SaysHowManySamplesAreNeeded) {
  const auto splits = split(*data_of(39, 0), 1);
  ASSERT_FALSE(splits.ok());
  EXPECT_THAT(std::string(base::message_of(splits.status())),
              testing::AllOf(HasSubstr("39 samples"), HasSubstr("at least 40")));
}

}  // namespace
}  // namespace tachostat::verify
