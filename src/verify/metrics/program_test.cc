#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.h"
#include "verify/data/test_data.h"
#include "verify/metrics/metric.h"
#include "verify/metrics/process.h"

namespace tachostat::verify {
namespace {

using engine::Tensor;
using model::DataType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor output(model::Shape shape, const std::vector<float>& values) {
  auto kept = std::make_shared<std::vector<float>>(values);
  return {"y", DataType::kF32, std::move(shape), std::as_bytes(std::span(*kept)), kept};
}

class Program : public testing::Test {
 protected:
  Program() {
    data_ = Dataset::open(folder_.npz("d.npz", {{"x", f32({2, 1}, {0, 1})},
                                                {"labels", npy<std::int64_t>("<i8", {2}, {4, 5})}}),
                          graph_)
                .value();
  }
  absl::StatusOr<std::vector<Score>> scores(const std::string& command,
                                            const std::vector<Tensor>& outputs,
                                            const MetricOptions& options = {}) {
    const auto metric = make_metric("program:" + command, *data_, graph_, options);
    const auto judge = (*metric)->judge();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const absl::Status added = judge->add({i, {&outputs[i], 1}, {&outputs[i], 1}});
      EXPECT_TRUE(added.ok()) << added;
    }
    return judge->finish();
  }
  std::string refusal(const std::string& command, const MetricOptions& options = {}) {
    const auto found = scores(command, {output({1, 2}, {1, 2}), output({1, 2}, {3, 4})}, options);
    return found.ok() ? "it was scored" : std::string(base::message_of(found.status()));
  }

  TestFolder folder_;
  model::Graph graph_ = model_of({1, 1}, {{"y", DataType::kF32, {1, 2}}});
  std::unique_ptr<const Dataset> data_;
};

TEST_F(Program, PrintsAScorePerSample) {
  const auto found =
      scores("printf '0.25\\n 1 \\n'; :", {output({1, 2}, {1, 2}), output({1, 2}, {3, 4})});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ((*found)[0].value, 0.25);
  EXPECT_EQ((*found)[1].value, 1);
}

// The program keeps the folder's files, which the test reads as data.
TEST_F(Program, FindsOutputsReferenceAndLabels) {
  const std::string keep = folder_.path("kept");
  const auto found = scores("cp -r \"$1\" " + keep + "; printf '1\\n1\\n'; :",
                            {output({1, 2}, {1, 2}), output({1, 2}, {3, 4})});
  ASSERT_TRUE(found.ok()) << found.status();
  const auto outputs = Dataset::open(keep + "/outputs.npz", model_of({1, 2}));
  ASSERT_TRUE(outputs.ok()) << outputs.status();
  EXPECT_EQ((*outputs)->size(), 2u);
  EXPECT_THAT(elements_of<float>((*outputs)->sample(1)->front()), ElementsAre(3, 4));
  EXPECT_TRUE(Dataset::open(keep + "/reference.npz", model_of({1, 2})).ok());
  model::Graph labels;
  labels.inputs = {{"samples", DataType::kI64, {model::kDynamic}}};
  const auto labelled = Dataset::open(keep + "/labels.npz", labels);
  ASSERT_TRUE(labelled.ok()) << labelled.status();
  EXPECT_THAT((*labelled)->labels().classes, ElementsAre(4, 5));
}

TEST_F(Program, FindsOutputsOfSeveralShapesByNumber) {
  const std::string keep = folder_.path("kept");
  const auto found = scores("cp -r \"$1\" " + keep + "; printf '1\\n1\\n'; :",
                            {output({1, 2}, {1, 2}), output({1, 3}, {3, 4, 5})});
  ASSERT_TRUE(found.ok()) << found.status();
  const auto archive = ZipFile::open(keep + "/outputs.npz");
  ASSERT_TRUE(archive.ok()) << archive.status();
  ASSERT_EQ((*archive)->members().size(), 2u);
  EXPECT_EQ((*archive)->members()[1].name, "y/1.npy");
}

TEST_F(Program, ThatFailsIsQuoted) {
  EXPECT_THAT(refusal("echo first >&2; echo 'no module numpy' >&2; exit 3; :"),
              AllOf(HasSubstr("exit status 3"), testing::EndsWith("stderr: no module numpy")));
  EXPECT_THAT(refusal("/no/such/program"), HasSubstr("exit status 127"));
  EXPECT_THAT(refusal("kill -TERM $$; :"), HasSubstr("signal 15"));
}

TEST_F(Program, ThatPrintsSomethingElseIsRefused) {
  EXPECT_THAT(refusal("echo 1; :"), HasSubstr("printed 1 scores: expected 2"));
  EXPECT_THAT(refusal("echo 1; echo good; :"), HasSubstr("line 2 is 'good'"));
  EXPECT_THAT(refusal("echo 1; echo nan; :"), HasSubstr("line 2 is 'nan'"));
  EXPECT_THAT(refusal("echo 1; echo 1.5; :"), HasSubstr("expected a score from 0 to 1"));
  EXPECT_THAT(refusal("yes 1; :"), HasSubstr("printed more than"));
}

TEST_F(Program, ThatHangsIsEndedWithItsChildren) {
  const std::string message = refusal("echo waiting >&2; sleep 1000 & sleep 1000; :",
                                      {.program_timeout = std::chrono::seconds(1)});
  EXPECT_THAT(message, AllOf(HasSubstr("not done after 1 s"), HasSubstr("waiting")));
}

TEST(Process, IsNotWaitedForByAChildThatKeepsItsPipes) {
  const auto printed = run_program({"/bin/sh", "-c", "sleep 1000 & echo done"}, {});
  ASSERT_TRUE(printed.ok()) << printed.status();
  EXPECT_EQ(*printed, "done\n");
}

TEST(Process, ThatIsNotThereIsAnError) { EXPECT_FALSE(run_program({"/no/such/program"}, {}).ok()); }

}  // namespace
}  // namespace tachostat::verify
