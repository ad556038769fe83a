// The collector as an instrumented library meets it: through __itt_api_init and the functions that
// it puts in place.
#include "probe/itt/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "probe/itt/abi.h"
#include "probe/probe.h"

namespace tachostat::probe::itt {

extern "C" void itt_api_init(Global* global, int groups) __asm__("__itt_api_init");

namespace {

using ::testing::Contains;
using ::testing::SizeIs;

int none() { return 0; }
int initial() { return 0; }

// The static part of ITT in one library, cut to what matters.
class Library {
 public:
  Library() {
    global_.functions = functions_;
    itt_api_init(&global_, -1);
  }
  Domain* domain(const char* name) { return as<Domain*(const char*)>(domain_create_)(name); }
  StringHandle* string(const char* text) {
    return as<StringHandle*(const char*)>(string_create_)(text);
  }
  // As ITT's macros do: no call when the domain is off.
  void begin(Domain* domain, StringHandle* name) {
    if (__atomic_load_n(&domain->flags, __ATOMIC_RELAXED) == 0) return;
    as<void(const Domain*, Id, Id, StringHandle*)>(begin_)(domain, {}, {}, name);
  }
  void end(Domain* domain) {
    if (__atomic_load_n(&domain->flags, __ATOMIC_RELAXED) == 0) return;
    as<void(const Domain*)>(end_)(domain);
  }
  void name_thread(const char* name) { as<void(const char*)>(name_thread_)(name); }
  void task(Domain* domain, StringHandle* name) {
    begin(domain, name);
    end(domain);
  }

  void* other_ = reinterpret_cast<void*>(&initial);
  void* other_static_ = reinterpret_cast<void*>(&initial);

 private:
  template <class Function>
  static Function* as(void* function) {
    return reinterpret_cast<Function*>(function);
  }

  void* domain_create_ = nullptr;
  void* string_create_ = nullptr;
  void* begin_ = nullptr;
  void* end_ = nullptr;
  void* name_thread_ = nullptr;
  ApiInfo functions_[8] = {
      {"__itt_domain_create", &domain_create_, nullptr, nullptr, 0},
      {"__itt_string_handle_create", &string_create_, nullptr, nullptr, 0},
      {"__itt_task_begin", &begin_, nullptr, nullptr, 0},
      {"__itt_task_end", &end_, nullptr, nullptr, 0},
      {"__itt_thread_set_name", &name_thread_, nullptr, nullptr, 0},
      {"__itt_pause", &other_, nullptr, nullptr, 0},
      {"__itt_counter_create", &other_static_, nullptr, reinterpret_cast<void*>(&none), 0},
      {nullptr, nullptr, nullptr, nullptr, 0}};
  Global global_{};
};

class Collector : public ::testing::Test {
 protected:
  void SetUp() override { drained(); }
  void TearDown() override { set_level(Level::kOff); }

  static trace::Trace drained() {
    trace::Trace trace;
    drain(trace);
    return trace;
  }
  static std::vector<std::string> names(const trace::Trace& trace) {
    std::vector<std::string> names;
    for (const trace::Span& span : trace.spans) names.emplace_back(trace.name(span));
    return names;
  }

  Library library_;
  Domain* request_ = library_.domain("ov::phases::cpu::inference");
  Domain* layer_ = library_.domain("ov::op::cpu::details");
  Domain* exec_ = library_.domain("ov::op::cpu::exec");
  Domain* unknown_ = library_.domain("some::other");
  StringHandle* name_ = library_.string("Conv_1");
};

TEST_F(Collector, IsFoundByTheEnvironment) {
  EXPECT_EQ(trouble(), "");
  const char* path = std::getenv("INTEL_LIBITTNOTIFY64");
  ASSERT_NE(path, nullptr);
  EXPECT_THAT(path, ::testing::EndsWith("libtachostat_itt.so"));
  EXPECT_TRUE(itt_source().available().ok());
}

TEST_F(Collector, ClearsWhatItDoesNotServe) {
  EXPECT_EQ(library_.other_, nullptr);
  EXPECT_EQ(library_.other_static_, reinterpret_cast<void*>(&none));
}

TEST_F(Collector, GivesTheSameObjectForTheSameName) {
  Library second;
  EXPECT_EQ(second.domain("ov::op::cpu::details"), layer_);
  EXPECT_EQ(second.string("Conv_1"), name_);
  EXPECT_NE(second.string("Conv_2"), name_);
  EXPECT_STREQ(name_->text, "Conv_1");
  EXPECT_EQ(second.domain(nullptr), nullptr);
  EXPECT_EQ(second.string(nullptr), nullptr);
}

TEST_F(Collector, EachLevelSwitchesItsDomains) {
  const auto flags = [&] {
    return std::vector<int>{request_->flags, layer_->flags, exec_->flags, unknown_->flags};
  };
  EXPECT_EQ(flags(), (std::vector<int>{0, 0, 0, 0}));
  set_level(Level::kLayers);
  EXPECT_EQ(flags(), (std::vector<int>{1, 1, 0, 0}));
  set_level(Level::kKernels);
  EXPECT_EQ(flags(), (std::vector<int>{1, 1, 1, 0}));
  // A domain that comes later follows the switch as it stands.
  EXPECT_EQ(library_.domain("tbb")->flags, 1);
  set_level(Level::kOff);
  EXPECT_EQ(flags(), (std::vector<int>{0, 0, 0, 0}));
}

TEST_F(Collector, RecordsKindNameThreadAndNesting) {
  library_.task(layer_, name_);
  EXPECT_THAT(drained().spans, SizeIs(0));  // off
  set_level(Level::kKernels);
  library_.name_thread("my thread");
  library_.begin(request_, library_.string("infer"));
  library_.begin(exec_, library_.string("Convolution::execute"));
  library_.task(layer_, name_);
  library_.end(exec_);
  library_.begin(layer_, nullptr);
  library_.end(layer_);
  library_.end(request_);
  const trace::Trace trace = drained();
  EXPECT_EQ(names(trace),
            (std::vector<std::string>{"Conv_1", "Convolution::execute", "?", "infer"}));
  ASSERT_THAT(trace.spans, SizeIs(4));
  EXPECT_EQ(trace.spans[0].kind, trace::Kind::kLayer);
  EXPECT_EQ(trace.spans[1].kind, trace::Kind::kOperator);
  EXPECT_EQ(trace.spans[3].kind, trace::Kind::kRequest);
  EXPECT_EQ(trace.spans[0].depth, 2u);
  EXPECT_EQ(trace.spans[3].depth, 0u);
  ASSERT_THAT(trace.threads, SizeIs(1));
  EXPECT_EQ(trace.threads[0].first, trace.spans[0].thread);
  EXPECT_EQ(trace.threads[0].second, "my thread");
}

TEST_F(Collector, DrainNumbersNamesAfterThoseThatAreThere) {
  set_level(Level::kLayers);
  library_.task(layer_, name_);
  trace::Trace trace;
  trace.names = {"Conv_9", "other"};
  trace.spans = {{.name = 1}};
  drain(trace);
  library_.task(layer_, name_);
  library_.task(layer_, library_.string("Conv_9"));
  drain(trace);
  EXPECT_EQ(trace.names, (std::vector<std::string>{"Conv_9", "other", "Conv_1"}));
  EXPECT_EQ(names(trace), (std::vector<std::string>{"other", "Conv_1", "Conv_1", "Conv_9"}));
}

TEST_F(Collector, TakesOverWhatALibraryMadeBefore) {
  // These live as long as the process, as a library's would.
  static Domain early{.flags = 1,
                      .name = "ov::op::cpu::details",
                      .wide_name = nullptr,
                      .extra1 = 0,
                      .extra2 = nullptr,
                      .next = nullptr};
  static StringHandle text{
      .text = "early", .wide_text = nullptr, .extra1 = 0, .extra2 = nullptr, .next = nullptr};
  Domain* domain = &early;
  StringHandle* handle = &text;
  ApiInfo nothing{nullptr, nullptr, nullptr, nullptr, 0};
  Global global{};
  global.functions = &nothing;
  global.domains = domain;
  global.strings = handle;
  itt_api_init(&global, -1);
  EXPECT_EQ(domain->flags, 0);
  EXPECT_EQ(global.domains, nullptr);
  set_level(Level::kLayers);
  EXPECT_EQ(domain->flags, 1);
  library_.task(domain, handle);
  EXPECT_EQ(names(drained()), std::vector<std::string>{"early"});
  itt_api_init(nullptr, -1);
}

TEST_F(Collector, AMoveOfTheSwitchInsideATaskLeavesNoTrace) {
  library_.begin(request_, name_);  // unseen
  set_level(Level::kKernels);
  library_.task(layer_, name_);
  library_.end(request_);  // an end without a begin
  library_.begin(request_, name_);
  set_level(Level::kOff);
  library_.end(request_);  // unseen
  set_level(Level::kLayers);
  library_.begin(layer_, library_.string("later"));
  set_level(Level::kKernels);  // deeper, while a layer runs
  library_.end(layer_);
  library_.task(layer_, library_.string("last"));
  const trace::Trace trace = drained();
  EXPECT_EQ(names(trace), (std::vector<std::string>{"Conv_1", "last"}));
  for (const trace::Span& span : trace.spans) EXPECT_EQ(span.depth, 0u);
  EXPECT_EQ(trace.dropped, 0u);
}

TEST_F(Collector, ReusesTheLogsOfThreadsThatEnded) {
  set_level(Level::kLayers);
  const std::uint64_t before = emitted();
  std::set<std::uint32_t> threads;
  // More threads, one after the other, than there may be logs.
  constexpr int kThreads = 400;
  for (int i = 0; i < kThreads; ++i) {
    std::thread thread([&] {
      library_.name_thread("short");
      library_.task(layer_, name_);
    });
    thread.join();
    const trace::Trace trace = drained();
    ASSERT_THAT(trace.spans, SizeIs(1)) << i;
    EXPECT_THAT(trace.threads, Contains(std::pair(trace.spans[0].thread, std::string("short"))));
    threads.insert(trace.spans[0].thread);
    EXPECT_EQ(trace.dropped, 0u);
  }
  EXPECT_GT(threads.size(), 1u);
  EXPECT_EQ(emitted() - before, static_cast<std::uint64_t>(kThreads));
}

TEST_F(Collector, CountsTheSpansOfTooManyThreads) {
  set_level(Level::kLayers);
  const std::uint64_t before = emitted();
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  constexpr int kThreads = 150;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      library_.task(layer_, name_);
      ++ready;
      while (!go.load()) std::this_thread::yield();
    });
  }
  while (ready.load() < kThreads) std::this_thread::yield();
  go = true;
  for (std::thread& thread : threads) thread.join();
  const trace::Trace trace = drained();
  EXPECT_GT(trace.dropped, 0u);
  EXPECT_EQ(trace.spans.size() + trace.dropped, static_cast<std::size_t>(kThreads));
  EXPECT_EQ(emitted() - before, static_cast<std::uint64_t>(kThreads));
}

// Threads at work while the switch moves and a reader drains: no torn span, proper nesting, and
// nothing that spans a move of the switch.
TEST_F(Collector, BearsASwitchThatNeverRests) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      StringHandle* outer = library_.string("outer");
      StringHandle* inner = library_.string("inner");
      while (!stop.load()) {
        library_.begin(request_, outer);
        for (int i = 0; i < 4; ++i) {
          library_.begin(exec_, inner);
          library_.task(layer_, name_);
          library_.end(exec_);
        }
        library_.end(request_);
        std::this_thread::yield();
      }
    });
  }
  trace::Trace trace;
  for (int i = 0; i < 2000; ++i) {
    set_level(static_cast<Level>(i % 3));
    if (i % 10 == 0) {
      drain(trace);
      std::this_thread::yield();
    }
  }
  // At least one quiet stretch, so that there is something to look at.
  set_level(Level::kKernels);
  while (trace.spans.size() < 1000) drain(trace);
  set_level(Level::kOff);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  drain(trace);

  const std::map<std::string, trace::Kind> kinds = {{"outer", trace::Kind::kRequest},
                                                    {"inner", trace::Kind::kOperator},
                                                    {"Conv_1", trace::Kind::kLayer}};
  for (const trace::Span& span : trace.spans) {
    ASSERT_LE(span.begin_ns, span.end_ns);
    ASSERT_LT(span.depth, 3u);
    const auto kind = kinds.find(std::string(trace.name(span)));
    ASSERT_NE(kind, kinds.end());
    ASSERT_EQ(kind->second, span.kind);
  }
}

TEST_F(Collector, SpanCostIsMeasured) {
  EXPECT_GT(itt_source().nanoseconds_per_span(), 1);
  EXPECT_LT(itt_source().nanoseconds_per_span(), 100'000);
}

}  // namespace
}  // namespace tachostat::probe::itt
