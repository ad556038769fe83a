// OpenVINO's and Tachostat's side of the zoo's table, in one process, driven by bench/zoo.py: a
// JSON object a line on stdin, an object a line back, {"error"} where it could not be done.
//
//   open MODEL DATA METRIC SEED      the splits, the metric, the input that speed is measured on
//   load SIDE …                      a side: a variant ("variant") or OpenVINO as it comes
//   unload                           all sides
//   run SIDE SECONDS LEAST SATURATED milliseconds of each call, or answers per second
//   judge SIDE SAMPLES               its drop on them
//   samples SAMPLES PATH             writes inputs, as tensor_file.h says
//   score SIDE SAMPLES PATH TENSORS, finish SIDE       judges outputs that another program wrote
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "app/driver.h"
#include "app/engines.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "optimize/calibrate.h"
#include "plain_openvino.h"
#include "tensor_file.h"
#include "zoo_court.h"

namespace tachostat {
namespace {

using Json = nlohmann::json;

// A loaded side, and the request that it is timed on.
class Side {
 public:
  Side(std::unique_ptr<engine::Session> session, const std::vector<engine::Tensor>& inputs)
      : session_(std::move(session)), driver_(*session_, inputs) {}

  engine::Session& session() { return *session_; }
  int streams() const { return std::max(1, session_->applied().streams); }

  // Whole calls, one after the other. The first is not timed: what the other sides left in caches
  // is not this one's.
  absl::StatusOr<Json> run_one(double seconds, std::size_t least) {
    TS_RETURN_IF_ERROR(driver_.run(1));
    std::vector<double> taken;
    for (const base::Time begin = clock_.now();
         taken.size() < least || base::to_seconds(clock_.now() - begin) < seconds;) {
      const base::Time start = clock_.now();
      TS_RETURN_IF_ERROR(driver_.run(1));
      taken.push_back(base::to_milliseconds(clock_.now() - start));
    }
    return Json{{"ms", taken}};
  }

  absl::StatusOr<Json> run_saturated(double seconds, int least) {
    if (per_second_ <= 0) TS_RETURN_IF_ERROR(time_requests(streams() * 2));
    TS_RETURN_IF_ERROR(driver_.run(streams()));
    const int each = std::max(least, static_cast<int>(per_second_ * seconds / streams() + 1));
    TS_RETURN_IF_ERROR(time_requests(each * streams()));
    return Json{{"per_second", per_second_}};
  }

 private:
  absl::Status time_requests(int requests) {
    const base::Time begin = clock_.now();
    TS_RETURN_IF_ERROR(driver_.run(requests));
    per_second_ = requests / base::to_seconds(clock_.now() - begin);
    return absl::OkStatus();
  }

  std::unique_ptr<engine::Session> session_;
  app::Driver driver_;
  base::SystemClock clock_;
  double per_second_ = 0;
};

Json json_of(const Judgement& judgement) {
  return {{"scores", judgement.scores},
          {"reference", judgement.reference},
          {"non_finite", judgement.non_finite},
          {"drop", judgement.drop.mean},
          {"bound", judgement.drop.bound}};
}

class Worker {
 public:
  explicit Worker(engine::Engine& engine) : engine_(engine) {}

  absl::StatusOr<Json> handle(const Json& command) {
    const std::string what = command.at("do");
    if (what == "open") return open(command);
    if (court_ == nullptr) return base::failed_precondition("nothing is open");
    if (what == "load") return load(command);
    if (what == "run") return run(command);
    if (what == "judge") return judge(command);
    if (what == "samples") return write_samples(command);
    if (what == "score") return score(command);
    if (what == "finish") return finish(command);
    if (what == "unload") {
      sides_.clear();
      return Json::object();
    }
    return base::invalid_argument("no command '{}'", what);
  }

 private:
  absl::StatusOr<Json> open(const Json& command) {
    sides_.clear();
    TS_ASSIGN_OR_RETURN(court_, Court::open(engine_, command.at("model"), command.at("data"),
                                            command.at("metric"), command.at("seed")));
    const std::size_t usual = verify::usual_of(court_->data(), court_->splits().search).sample;
    TS_ASSIGN_OR_RETURN(inputs_, court_->data().sample(usual));
    const verify::Splits& splits = court_->splits();
    return Json{{"model_hash", court_->graph().hash},
                {"data_hash", court_->data().hash()},
                {"metric", court_->metric().name()},
                {"engine_version", engine_.capabilities().version},
                {"usual", usual},
                {"shapes", court_->data().shapes(usual)},
                {"search", splits.search},
                {"selection", splits.selection},
                {"report", splits.report}};
  }

  absl::StatusOr<std::unique_ptr<engine::Session>> session_of(const Json& command) {
    if (command.contains("variant")) {
      TS_ASSIGN_OR_RETURN(const model::Variant variant,
                          model::variant_from_json(command.at("variant").dump()));
      return engine_.load(court_->graph(), variant, /*observer=*/nullptr);
    }
    return load_plain(core_, court_->graph(),
                      {.path = command.at("model"),
                       .throughput = command.at("throughput"),
                       .f32 = command.at("f32")});
  }

  absl::StatusOr<Json> load(const Json& command) {
    const std::string name = command.at("side");
    sides_.erase(name);
    TS_ASSIGN_OR_RETURN(auto session, session_of(command));
    const auto& side = sides_[name] = std::make_unique<Side>(std::move(session), inputs_);
    return Json{{"streams", side->streams()}};
  }

  absl::StatusOr<Side*> side_of(const Json& command) {
    const auto found = sides_.find(command.at("side").get<std::string>());
    if (found == sides_.end())
      return base::not_found("{} is not loaded", command.at("side").dump());
    return found->second.get();
  }

  absl::StatusOr<Json> run(const Json& command) {
    TS_ASSIGN_OR_RETURN(Side* const side, side_of(command));
    const double seconds = command.at("seconds");
    if (command.at("saturated")) return side->run_saturated(seconds, command.at("least"));
    return side->run_one(seconds, command.at("least"));
  }

  absl::StatusOr<Json> judge(const Json& command) {
    TS_ASSIGN_OR_RETURN(Side* const side, side_of(command));
    const std::string name = command.at("side");
    for (const std::size_t sample : command.at("samples").get<std::vector<std::size_t>>()) {
      TS_ASSIGN_OR_RETURN(const auto inputs, court_->data().sample(sample));
      TS_ASSIGN_OR_RETURN(auto outputs, optimize::infer(side->session(), inputs));
      TS_RETURN_IF_ERROR(court_->add(name, sample, std::move(outputs)));
    }
    TS_ASSIGN_OR_RETURN(const Judgement judgement, court_->finish(name));
    return json_of(judgement);
  }

  absl::StatusOr<Json> write_samples(const Json& command) {
    TensorFile file(command.at("path"));
    for (const std::size_t sample : command.at("samples").get<std::vector<std::size_t>>()) {
      TS_ASSIGN_OR_RETURN(const auto inputs, court_->data().sample(sample));
      file.add(inputs);
    }
    TS_ASSIGN_OR_RETURN(Json written, file.finish());
    return Json{{"tensors", std::move(written)}};
  }

  absl::StatusOr<Json> score(const Json& command) {
    const auto samples = command.at("samples").get<std::vector<std::size_t>>();
    TS_ASSIGN_OR_RETURN(TensorRows rows, read_tensors(command.at("path"), command.at("tensors")));
    if (rows.size() != samples.size()) {
      return base::invalid_argument("{} samples, outputs of {}", samples.size(), rows.size());
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      TS_RETURN_IF_ERROR(court_->add(command.at("side"), samples[i], std::move(rows[i])));
    }
    return Json::object();
  }

  absl::StatusOr<Json> finish(const Json& command) {
    TS_ASSIGN_OR_RETURN(const Judgement judgement, court_->finish(command.at("side")));
    return json_of(judgement);
  }

  engine::Engine& engine_;
  ov::Core core_;
  std::unique_ptr<Court> court_;
  std::vector<engine::Tensor> inputs_;
  std::map<std::string, std::unique_ptr<Side>> sides_;
};

absl::StatusOr<Json> answer(Worker& worker, const std::string& line) {
  try {
    return worker.handle(Json::parse(line));
  } catch (const Json::exception& error) {
    return base::invalid_argument("{}: {}", line.substr(0, 200), error.what());
  }
}

absl::Status serve() {
  TS_ASSIGN_OR_RETURN(const auto engine, app::make_engine("openvino"));
  Worker worker(*engine);
  for (std::string line; std::getline(std::cin, line);) {
    const absl::StatusOr<Json> done = answer(worker, line);
    const Json json = done.ok() ? *done : Json{{"error", base::message_of(done.status())}};
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace tachostat

int main() {
  absl::Status status = tachostat::base::start_logging("error");
  if (status.ok()) status = tachostat::serve();
  if (status.ok()) return 0;
  fmt::print(stderr, "zoo_worker: {}\n", status.message());
  return 3;
}
