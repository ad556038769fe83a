#include "verify/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <limits>
#include <numeric>
#include <thread>

#include "base/status.h"
#include "verify/data/test_data.h"

namespace tachostat::verify {
namespace {

using model::DataType;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::unique_ptr<const Dataset> opened(const std::string& path, const model::Graph& graph) {
  auto data = Dataset::open(path, graph);
  EXPECT_TRUE(data.ok()) << data.status();
  return data.ok() ? *std::move(data) : nullptr;
}
std::string refusal(const std::string& path, const model::Graph& graph) {
  const auto data = Dataset::open(path, graph);
  return data.ok() ? "it was read" : std::string(base::message_of(data.status()));
}
std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return values;
}

// Two inputs, as a language model's: one of them not f32.
model::Graph two_inputs() {
  model::Graph graph = model_of({model::kDynamic, 2});
  graph.inputs.push_back({"ids", DataType::kI64, {model::kDynamic, 3}});
  return graph;
}

TEST(StackedNpz, GivesSamplesWithABatchOfOne) {
  const TestFolder folder;
  for (const bool compressed : {false, true}) {
    const auto path =
        folder.npz("d.npz",
                   {{"x", f32({3, 2}, {0, 1, 2, 3, 4, 5})},
                    {"ids", npy<std::int32_t>("<i4", {3, 3}, {0, 1, 2, 3, 4, 5, 6, 7, 8})}},
                   compressed);
    const auto data = opened(path, two_inputs());
    ASSERT_NE(data, nullptr);
    ASSERT_EQ(data->size(), 3u);
    const auto sample = data->sample(1);
    ASSERT_TRUE(sample.ok()) << sample.status();
    ASSERT_EQ(sample->size(), 2u);
    EXPECT_EQ((*sample)[0].name, "x");
    EXPECT_EQ((*sample)[0].shape, (model::Shape{1, 2}));
    EXPECT_THAT(elements_of<float>((*sample)[0]), ElementsAre(2, 3));
    EXPECT_EQ((*sample)[1].type, DataType::kI64);
    EXPECT_THAT(elements_of<std::int64_t>((*sample)[1]), ElementsAre(3, 4, 5));
    EXPECT_EQ(model::to_string(data->shapes(2)), "ids[1,3];x[1,2]");
    EXPECT_EQ(data->labels().kind, LabelKind::kNone);
    EXPECT_FALSE(data->sample(3).ok());
  }
}

TEST(StackedNpz, WithAnAxisMoreKeepsTheModelsFirstAxis) {
  const TestFolder folder;
  const auto path = folder.npz("d.npz", {{"state", f32({3, 2, 1, 2}, counted(12))}});
  const auto data = opened(path, model_of({2, model::kDynamic, 2}));
  ASSERT_NE(data, nullptr);
  EXPECT_EQ(data->size(), 3u);
  EXPECT_EQ(data->sample(2)->front().shape, (model::Shape{2, 1, 2}));
  EXPECT_THAT(elements_of<float>(data->sample(2)->front()), ElementsAre(8, 9, 10, 11));
}

TEST(StackedNpz, OneNumberServesEverySample) {
  const TestFolder folder;
  model::Graph graph = model_of({model::kDynamic, 2});
  graph.inputs.push_back({"rate", DataType::kI64, {}});
  const auto path = folder.npz(
      "d.npz", {{"x", f32({2, 2}, {0, 1, 2, 3})}, {"rate", npy<std::int64_t>("<i8", {}, {16000})}});
  const auto data = opened(path, graph);
  ASSERT_NE(data, nullptr);
  EXPECT_THAT(elements_of<std::int64_t>(data->sample(1)->at(1)), ElementsAre(16000));
  EXPECT_TRUE(data->sample(1)->at(1).shape.empty());
}

TEST(StackedNpz, ReadsLabelsOfEachKind) {
  const TestFolder folder;
  const std::string x = f32({2, 2}, {0, 1, 2, 3});
  const auto graph = model_of({model::kDynamic, 2});
  const auto classes = opened(
      folder.npz("c.npz", {{"x", x}, {"labels", npy<std::uint8_t>("|u1", {2, 1}, {4, 2})}}), graph);
  ASSERT_EQ(classes->labels().kind, LabelKind::kClass);
  EXPECT_THAT(classes->labels().classes, ElementsAre(4, 2));
  // "héß", "€" and padding, in UCS-4.
  const std::string text = npy<std::uint32_t>("<U3", {2}, {'h', 0xe9, 0xdf, 0x20ac, 0, 0});
  const auto texts = opened(folder.npz("t.npz", {{"x", x}, {"labels", text}}), graph);
  ASSERT_EQ(texts->labels().kind, LabelKind::kText);
  EXPECT_THAT(texts->labels().texts, ElementsAre("héß", "€"));
  const auto bytes = opened(
      folder.npz("b.npz",
                 {{"x", x}, {"labels", npy_header("|S3", {2}) + std::string("abcd\0\0", 6)}}),
      graph);
  EXPECT_THAT(bytes->labels().texts, ElementsAre("abc", "d"));
  const auto arrays =
      opened(folder.npz("a.npz", {{"x", x}, {"labels", f32({2, 1, 2}, {0, 1, 2, 3})}}), graph);
  ASSERT_EQ(arrays->labels().kind, LabelKind::kNumbers);
  const auto label = arrays->labels().at(1);
  ASSERT_TRUE(label.ok()) << label.status();
  EXPECT_EQ(std::get<Numbers>(*label).shape, (model::Shape{1, 2}));
  EXPECT_THAT(std::get<Numbers>(*label).values, ElementsAre(2, 3));
}

TEST(StackedNpz, RefusesWhatDoesNotFitTheModel) {
  const TestFolder folder;
  const auto graph = model_of({model::kDynamic, 3, 2});
  const auto with = [&](const std::map<std::string, std::string>& members) {
    return refusal(folder.npz("d.npz", members), graph);
  };
  EXPECT_THAT(with({{"x", f32({5, 4, 2}, counted(40))}}),
              AllOf(HasSubstr("'x'"), HasSubstr("[?,3,2]"), HasSubstr("[5,4,2]")));
  EXPECT_THAT(with({{"x", f32({6}, counted(6))}}), HasSubstr("found shape [6]"));
  EXPECT_THAT(with({{"x", f32({0, 3, 2}, {})}}), HasSubstr("no samples"));
  EXPECT_THAT(with({{"x", npy<std::uint8_t>("|u1", {1, 3, 2}, {1, 2, 3, 4, 5, 6})}}),
              AllOf(HasSubstr("expected f32, found u8"), HasSubstr("astype")));
  EXPECT_THAT(with({{"a", f32({1, 3, 2}, counted(6))}, {"b", f32({1, 3, 2}, counted(6))}}),
              HasSubstr("no array for the model's input 'x'"));
  EXPECT_THAT(with({{"x", f32({1, 3, 2}, counted(6))}, {"lables", f32({1}, {0})}}),
              HasSubstr("'lables' is no input"));
  EXPECT_THAT(with({}), testing::Not("it was read"));
  EXPECT_THAT(with({{"x", npy_header("|O", {1})}}), HasSubstr("pickle"));
}

TEST(StackedNpz, RefusesNanAndSaysWhere) {
  const TestFolder folder;
  std::vector<float> values = counted(8);
  values[5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal(folder.npz("d.npz", {{"x", f32({4, 2}, values)}}), model_of({1, 2})),
              HasSubstr("'x': element 1 of sample 2 is NaN"));
}

TEST(StackedNpz, RefusesLabelsOfTheWrongLength) {
  const TestFolder folder;
  const auto path = folder.npz("d.npz", {{"x", f32({2, 2}, {0, 1, 2, 3})},
                                         {"labels", npy<std::int64_t>("<i8", {3}, {1, 2, 3})}});
  EXPECT_THAT(refusal(path, model_of({1, 2})),
              HasSubstr("expected 2 labels, one per sample, found 3"));
  const auto other = folder.npz("e.npz", {{"x", f32({2, 2}, {0, 1, 2, 3})},
                                          {"ids", npy<std::int64_t>("<i8", {1, 3}, {1, 2, 3})}});
  EXPECT_THAT(refusal(other, two_inputs()), HasSubstr("'x' has 2 samples, 'ids' has 1"));
}

TEST(StackedNpz, DamagedAnywhereIsNeverACrash) {
  const TestFolder folder;
  const auto graph = model_of({1, 16});
  for (const bool compressed : {false, true}) {
    const std::string whole =
        read_file(folder.npz("d.npz", {{"x", f32({4, 16}, counted(64))}}, compressed));
    for (std::size_t length = 0; length < whole.size(); length += 7) {
      EXPECT_NE(refusal(folder.write("cut.npz", whole.substr(0, length)), graph), "it was read");
    }
    std::string damaged = whole;
    damaged[whole.size() / 3] ^= 0x40;
    EXPECT_NE(refusal(folder.write("bad.npz", damaged), graph), "it was read");
  }
}

TEST(StackedNpz, ThatPromisesMoreThanItHasIsRefusedWithoutTheMemory) {
  const TestFolder folder;
  const std::string header = npy_header("<f4", {1'000'000'000'000, 2});
  EXPECT_THAT(refusal(folder.npz("d.npz", {{"x", header}}, true), model_of({1, 2})),
              HasSubstr("promises 8000000000000 bytes"));
  EXPECT_THAT(refusal(folder.npz("e.npz", {{"x", npy_header("<f4", {1, 3'000'000'000})}}),
                      model_of({1, model::kDynamic})),
              HasSubstr("promises 12000000000 bytes"));
}

TEST(StackedNpy, ServesAModelOfOneInput) {
  const TestFolder folder;
  const auto path = folder.write("d.npy", f32({3, 2}, counted(6)));
  const auto data = opened(path, model_of({1, 2}));
  ASSERT_NE(data, nullptr);
  EXPECT_THAT(elements_of<float>(data->sample(2)->front()), ElementsAre(4, 5));
  EXPECT_THAT(refusal(path, two_inputs()), HasSubstr("has 2 inputs"));
  EXPECT_THAT(refusal(folder.write("long.npy", f32({3, 2}, counted(7))), model_of({1, 2})),
              HasSubstr("promises 24 bytes of elements, found 28"));
}

TEST(Dataset, HashIsOfTheContentNotOfTheFile) {
  const TestFolder folder;
  const auto graph = model_of({1, 2});
  const std::string x = f32({3, 2}, counted(6));
  const std::string hash = opened(folder.npz("a.npz", {{"x", x}}), graph)->hash();
  EXPECT_EQ(opened(folder.npz("b.npz", {{"x", x}}, true), graph)->hash(), hash);
  EXPECT_EQ(hash.size(), 64u);
  std::vector<float> other = counted(6);
  other[3] = 9;
  EXPECT_NE(opened(folder.npz("c.npz", {{"x", f32({3, 2}, other)}}), graph)->hash(), hash);
  const std::string labels = npy<std::int64_t>("<i8", {3}, {1, 2, 3});
  EXPECT_NE(opened(folder.npz("d.npz", {{"x", x}, {"labels", labels}}), graph)->hash(), hash);
}

TEST(Dataset, IsReadFromSeveralThreads) {
  const TestFolder folder;
  for (const bool compressed : {false, true}) {
    const auto data =
        opened(folder.npz("d.npz", {{"x", f32({64, 256}, counted(64 * 256))}}, compressed),
               model_of({1, 256}));
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 64; ++i) {
          const std::size_t sample = (i * 7 + t) % 64;
          const auto tensors = data->sample(sample);
          ASSERT_TRUE(tensors.ok()) << tensors.status();
          EXPECT_EQ(elements_of<float>(tensors->front())[3], static_cast<float>(sample * 256 + 3));
        }
      });
    }
  }
}

TEST(SampleFolder, ReadsFilesInTheOrderOfTheirNames) {
  const TestFolder folder;
  folder.write("b.npy", f32({1, 2}, {2, 3}));
  folder.write("a.npy", f32({4}, {0, 1, 2, 3}));  // the batch axis is put back
  folder.write("notes.md", "not a sample");
  const auto data = opened(folder.path(), model_of({1, model::kDynamic}));
  ASSERT_NE(data, nullptr);
  ASSERT_EQ(data->size(), 2u);
  EXPECT_EQ(model::to_string(data->shapes(0)), "x[1,4]");
  EXPECT_EQ(model::to_string(data->shapes(1)), "x[1,2]");
  EXPECT_THAT(elements_of<float>(data->sample(1)->front()), ElementsAre(2, 3));
}

TEST(SampleFolder, ReadsArchivesWithTheirLabels) {
  const TestFolder folder;
  for (const int i : {0, 1}) {
    folder.npz(fmt::format("{}.npz", i),
               {{"x", f32({1, 2}, {1.0f * i, 2})},
                {"ids", npy<std::int64_t>("<i8", {1, 3}, {i, i, i})},
                {"label", npy<std::int64_t>("<i8", {}, {i + 5})}},
               i == 1);
  }
  const auto data = opened(folder.path(), two_inputs());
  ASSERT_NE(data, nullptr);
  EXPECT_THAT(data->labels().classes, ElementsAre(5, 6));
  EXPECT_THAT(elements_of<std::int64_t>(data->sample(1)->at(1)), ElementsAre(1, 1, 1));
}

TEST(SampleFolder, ReadsLabelArraysOnDemand) {
  const TestFolder folder;
  folder.npz("a.npz", {{"x", f32({1, 2}, {1, 2})}, {"label", f32({3}, {1, 2, 3})}});
  folder.npz("b.npz", {{"x", f32({1, 2}, {1, 2})}, {"label", f32({2}, {4, 5})}});
  const auto data = opened(folder.path(), model_of({1, 2}));
  ASSERT_NE(data, nullptr);
  EXPECT_THAT(std::get<Numbers>(*data->labels().at(1)).values, ElementsAre(4, 5));
}

TEST(SampleFolder, TakesLabelsFromAFileBeside) {
  const TestFolder folder;
  folder.write("a.npy", f32({1, 2}, {0, 1}));
  folder.write("b.npy", f32({1, 2}, {2, 3}));
  const auto graph = model_of({1, 2});
  folder.write("labels.txt", "7\n3\n");
  EXPECT_THAT(opened(folder.path(), graph)->labels().classes, ElementsAre(7, 3));
  const std::string hash = opened(folder.path(), graph)->hash();
  folder.write("labels.txt", "7\n4\n");
  EXPECT_NE(opened(folder.path(), graph)->hash(), hash);
  folder.write("labels.txt", "7\n");
  EXPECT_THAT(refusal(folder.path(), graph), HasSubstr("expected 2 lines"));
  folder.write("labels.csv", "a.npy,1\nb.npy,2\n");
  EXPECT_THAT(refusal(folder.path(), graph), HasSubstr("both labels.txt and labels.csv"));
}

TEST(SampleFolder, RefusesHalfLabelledData) {
  const TestFolder folder;
  folder.npz("a.npz", {{"x", f32({1, 2}, {1, 2})}, {"label", npy<std::int64_t>("<i8", {}, {1})}});
  folder.npz("b.npz", {{"x", f32({1, 2}, {1, 2})}});
  EXPECT_THAT(refusal(folder.path(), model_of({1, 2})),
              HasSubstr("'a.npz' has classes, 'b.npz' has no labels"));
}

TEST(SampleFolder, OfPicturesSaysHowToMakeAnArchive) {
  const TestFolder folder;
  folder.write("dog.jpg", "jpeg");
  const std::string message = refusal(folder.path(), model_of({1, 3, 32, 48}));
  EXPECT_THAT(message, AllOf(HasSubstr("dog.jpg"), HasSubstr("resize((48, 32))"),
                             HasSubstr("np.savez('data.npz', **{'x': x})")));
}

TEST(Dataset, SaysWhatIsWrongWithAPath) {
  const TestFolder folder;
  const auto graph = model_of({1, 2});
  EXPECT_THAT(refusal(folder.path("none.npz"), graph), HasSubstr("no file"));
  EXPECT_THAT(refusal(folder.write("empty.npz", ""), graph), HasSubstr("is empty"));
  EXPECT_THAT(refusal(folder.write("text.npz", "hello there"), graph),
              HasSubstr("neither an .npz nor an .npy"));
  ASSERT_EQ(mkfifo(folder.path("pipe.npz").c_str(), 0600), 0);
  EXPECT_THAT(refusal(folder.path("pipe.npz"), graph), HasSubstr("neither a file nor a folder"));
  std::filesystem::create_directory(folder.path("bare"));
  EXPECT_THAT(refusal(folder.path("bare"), graph), HasSubstr("no samples"));
  folder.write("one/a.npy", f32({1, 3}, counted(3)));
  EXPECT_THAT(refusal(folder.path("one"), graph),
              AllOf(HasSubstr("a.npy: expected one sample"), HasSubstr("[1,3]")));
}

}  // namespace
}  // namespace tachostat::verify
