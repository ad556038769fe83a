// Lifetimes: a call is held by gRPC, until OnDone, and by the scheduler's callback. It may be
// finished by the answer, by the client's cancelling, or by the server's end; the first one wins.
#include "serve/grpc/calls.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <atomic>
#include <deque>

#include "base/status.h"
#include "inference.pb.h"
#include "serve/grpc/answer.h"
#include "serve/grpc/request.h"

namespace tachostat::serve {
namespace {

using Message = std::shared_ptr<const inference::ModelInferRequest>;

struct Prepared {
  std::shared_ptr<const ServedModel> model;
  InferRequest request;
  base::Duration decode{};  // what it took to get here
};

absl::StatusOr<Message> parse(const grpc::ByteBuffer& buffer) {
  auto message = std::make_shared<inference::ModelInferRequest>();
  grpc::ByteBuffer readable(buffer);  // shares the bytes; the reader wants it mutable
  grpc::ProtoBufferReader reader(&readable);
  if (!reader.status().ok() || !message->ParseFromZeroCopyStream(&reader)) {
    return base::invalid_argument("the request is not a ModelInferRequest");
  }
  return Message(std::move(message));
}

absl::StatusOr<Prepared> prepare(const Repository& repository, const Message& message) {
  TS_ASSIGN_OR_RETURN(auto model,
                      find_model(repository, message->model_name(), message->model_version()));
  TS_ASSIGN_OR_RETURN(InferRequest request, to_infer_request(message));
  TS_RETURN_IF_ERROR(check_outputs(model->graph, request.outputs));
  return Prepared{.model = std::move(model), .request = std::move(request)};
}

// Tells whoever watches. The answer was begun at `begin`.
void tell(const Prepared& prepared, const base::Clock& clock, base::Time begin) {
  if (!prepared.model->on_wired) return;
  prepared.model->on_wired({.decode = prepared.decode,
                            .encode = clock.now() - begin,
                            .text = false,
                            .outputs = prepared.request.outputs});
}

// The client's deadline, a time of day, on our clock.
base::Time deadline_of_call(base::Clock& clock, const grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return base::Time::max();
  return deadline_of(clock, deadline - std::chrono::system_clock::now());
}

}  // namespace

grpc::Status to_grpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), wire_message(status));
}

namespace {

class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  static UnaryCall* start(const CallSetting& setting, grpc::CallbackServerContext& context,
                          const grpc::ByteBuffer& buffer, grpc::ByteBuffer* response) {
    auto call = std::make_shared<UnaryCall>(setting.open, response);
    call->self_ = call;
    UnaryCall* pointer = call.get();
    call->counted_ = setting.open.begin();
    if (!call->counted_) {
      call->finish(base::unavailable("the server is stopping"));
      return pointer;
    }
    const base::Time begin = setting.clock.now();
    absl::StatusOr<Message> message = parse(buffer);
    absl::StatusOr<Prepared> prepared =
        message.ok() ? prepare(setting.repository, *message) : message.status();
    if (!prepared.ok()) {
      call->finish(prepared.status());
      return pointer;
    }
    auto kept = std::make_shared<Prepared>(*std::move(prepared));
    kept->decode = setting.clock.now() - begin;
    submit(*kept->model, setting.clock, kept->request, deadline_of_call(setting.clock, context),
           [call, kept, &clock = setting.clock](absl::StatusOr<schedule::Response> answer) {
             call->answered(*kept, clock, std::move(answer));
           });
    return pointer;
  }

  UnaryCall(OpenCalls& open, grpc::ByteBuffer* response) : open_(open), response_(response) {}

 private:
  void OnCancel() override { finish(absl::CancelledError("the call was cancelled")); }

  void OnDone() override {
    if (counted_) open_.end();
    const std::shared_ptr<UnaryCall> last = std::move(self_);
  }

  void answered(const Prepared& prepared, const base::Clock& clock,
                absl::StatusOr<schedule::Response> answer) {
    if (!answer.ok()) return finish(answer.status());
    const base::Time begin = clock.now();
    auto outputs = select_outputs(prepared.request.outputs, std::move(answer->outputs));
    if (!outputs.ok()) return finish(outputs.status());
    auto written = write_answer(*prepared.model, prepared.request, *std::move(outputs));
    if (!written.ok()) return finish(written.status());
    tell(prepared, clock, begin);
    if (finished_.exchange(true)) return;
    *response_ = *std::move(written);
    Finish(grpc::Status::OK);
  }

  void finish(const absl::Status& status) {
    if (!finished_.exchange(true)) Finish(to_grpc(status));
  }

  OpenCalls& open_;
  grpc::ByteBuffer* const response_;  // gRPC's; valid until Finish()
  std::atomic<bool> finished_ = false;
  bool counted_ = false;
  std::shared_ptr<UnaryCall> self_;
};

}  // namespace

// Reads while fewer than kMostInFlight requests are unanswered, writes one answer at a time.
class StreamCall final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public std::enable_shared_from_this<StreamCall> {
 public:
  StreamCall(const CallSetting& setting, base::Time deadline)
      : setting_(setting), deadline_(deadline) {}

  void start() {
    self_ = shared_from_this();
    counted_ = setting_.open.begin_stream(self_);
    if (counted_) {
      go_on();
    } else {
      stop();
    }
  }

  // Answer what was read, then end.
  void stop() {
    {
      base::MutexLock lock(mutex_);
      stopping_ = true;
    }
    go_on();
  }

 private:
  static constexpr int kMostInFlight = 64;

  void OnReadDone(bool ok) override {
    grpc::ByteBuffer received;
    {
      base::MutexLock lock(mutex_);
      // Taken before another thread can start the next read into it.
      received.Swap(&incoming_);
      reading_ = false;
      if (ok) {
        ++in_flight_;
      } else {
        reads_ended_ = true;
      }
    }
    if (ok) submit_received(received);
    go_on();
  }

  void OnWriteDone(bool ok) override {
    {
      base::MutexLock lock(mutex_);
      writing_ = false;
      outgoing_.pop_front();
      if (!ok) cancelled_ = true;
    }
    go_on();
  }

  void OnCancel() override {
    {
      base::MutexLock lock(mutex_);
      cancelled_ = true;
    }
    go_on();
  }

  void OnDone() override {
    if (counted_) setting_.open.end_stream(self_);
    const std::shared_ptr<StreamCall> last = std::move(self_);
  }

  void submit_received(const grpc::ByteBuffer& received) {
    const base::Time begin = setting_.clock.now();
    const absl::StatusOr<Message> message = parse(received);
    if (!message.ok()) return answered(write_stream_error("", message.status()));
    absl::StatusOr<Prepared> prepared = prepare(setting_.repository, *message);
    if (!prepared.ok()) return answered(write_stream_error((*message)->id(), prepared.status()));
    auto kept = std::make_shared<Prepared>(*std::move(prepared));
    kept->decode = setting_.clock.now() - begin;
    submit(*kept->model, setting_.clock, kept->request, deadline_,
           [self = shared_from_this(), kept](absl::StatusOr<schedule::Response> answer) {
             self->answered(write(*kept, self->setting_.clock, std::move(answer)));
           });
  }

  static grpc::ByteBuffer write(const Prepared& prepared, const base::Clock& clock,
                                absl::StatusOr<schedule::Response> answer) {
    const base::Time begin = clock.now();
    const auto written = [&]() -> absl::StatusOr<grpc::ByteBuffer> {
      TS_RETURN_IF_ERROR(answer.status());
      TS_ASSIGN_OR_RETURN(auto outputs,
                          select_outputs(prepared.request.outputs, std::move(answer->outputs)));
      return write_stream_answer(*prepared.model, prepared.request, std::move(outputs));
    }();
    if (written.ok()) tell(prepared, clock, begin);
    return written.ok() ? *written : write_stream_error(prepared.request.id, written.status());
  }

  void answered(grpc::ByteBuffer answer) {
    {
      base::MutexLock lock(mutex_);
      --in_flight_;
      outgoing_.push_back(std::move(answer));
    }
    go_on();
  }

  enum class Action { kNone, kRead, kWrite, kFinish };

  // Starts whatever can be started now. gRPC is called without the lock, which its callbacks take;
  // `starting_` keeps others from finishing the stream meanwhile, after which it may be gone.
  void go_on() {
    while (true) {
      Action action = Action::kNone;
      grpc::ByteBuffer* write = nullptr;
      absl::Status status;
      {
        base::MutexLock lock(mutex_);
        action = next_action();
        if (action == Action::kNone) return;
        if (action == Action::kFinish) {
          finished_ = true;
          status = end_status();
        } else {
          ++starting_;
          (action == Action::kRead ? reading_ : writing_) = true;
          if (action == Action::kWrite) write = &outgoing_.front();
        }
      }
      if (action == Action::kFinish) return Finish(to_grpc(status));
      if (action == Action::kRead) StartRead(&incoming_);
      if (action == Action::kWrite) StartWrite(write);
      base::MutexLock lock(mutex_);
      --starting_;
    }
  }

  Action next_action() TS_REQUIRES(mutex_) {
    if (finished_) return Action::kNone;
    if (cancelled_) outgoing_.resize(writing_ ? 1 : 0);
    if (!writing_ && !outgoing_.empty()) return Action::kWrite;
    const bool no_more = reads_ended_ || stopping_;
    const bool idle = in_flight_ == 0 && outgoing_.empty();
    if (!writing_ && (cancelled_ || (no_more && idle))) {
      return starting_ == 0 ? Action::kFinish : Action::kNone;
    }
    if (no_more || cancelled_ || reading_ || in_flight_ >= kMostInFlight) return Action::kNone;
    return Action::kRead;
  }

  absl::Status end_status() const TS_REQUIRES(mutex_) {
    if (cancelled_) return absl::CancelledError("the stream was cancelled");
    return reads_ended_ ? absl::OkStatus() : base::unavailable("the server is stopping");
  }

  const CallSetting setting_;
  const base::Time deadline_;
  grpc::ByteBuffer incoming_;  // gRPC's while reading_
  base::Mutex mutex_;
  // The front is gRPC's while writing_; a deque does not move it when others are added.
  std::deque<grpc::ByteBuffer> outgoing_ TS_GUARDED_BY(mutex_);
  int in_flight_ TS_GUARDED_BY(mutex_) = 0;
  int starting_ TS_GUARDED_BY(mutex_) = 0;  // threads that call gRPC now
  bool reading_ TS_GUARDED_BY(mutex_) = false;
  bool writing_ TS_GUARDED_BY(mutex_) = false;
  bool reads_ended_ TS_GUARDED_BY(mutex_) = false;
  bool stopping_ TS_GUARDED_BY(mutex_) = false;
  bool cancelled_ TS_GUARDED_BY(mutex_) = false;
  bool finished_ TS_GUARDED_BY(mutex_) = false;
  bool counted_ = false;
  std::shared_ptr<StreamCall> self_;
};

bool OpenCalls::begin() {
  base::MutexLock lock(mutex_);
  if (stopping_) return false;
  ++unary_;
  return true;
}

void OpenCalls::end() {
  base::MutexLock lock(mutex_);
  --unary_;
  changed_.notify_all();
}

bool OpenCalls::begin_stream(const std::shared_ptr<StreamCall>& stream) {
  base::MutexLock lock(mutex_);
  if (stopping_) return false;
  streams_.insert(stream);
  return true;
}

void OpenCalls::end_stream(const std::shared_ptr<StreamCall>& stream) {
  base::MutexLock lock(mutex_);
  streams_.erase(stream);
  changed_.notify_all();
}

void OpenCalls::stop() {
  std::set<std::shared_ptr<StreamCall>> streams;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    streams = streams_;
  }
  for (const auto& stream : streams) stream->stop();
}

bool OpenCalls::wait_until_none(std::chrono::steady_clock::time_point deadline) {
  base::MutexLock lock(mutex_);
  while (unary_ > 0 || !streams_.empty()) {
    if (!changed_.wait_until(mutex_, deadline)) return unary_ == 0 && streams_.empty();
  }
  return true;
}

grpc::ServerUnaryReactor* start_call(const CallSetting& setting,
                                     grpc::CallbackServerContext& context,
                                     const grpc::ByteBuffer& request, grpc::ByteBuffer* response) {
  return UnaryCall::start(setting, context, request, response);
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start_stream(
    const CallSetting& setting, grpc::CallbackServerContext& context) {
  const auto call = std::make_shared<StreamCall>(setting, deadline_of_call(setting.clock, context));
  call->start();
  return call.get();
}

}  // namespace tachostat::serve
