// Inference calls over gRPC, one and streamed. No thread waits for an answer: gRPC calls the
// reactors, the scheduler calls back, whichever comes.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <set>

#include "base/mutex.h"
#include "serve/infer.h"

namespace tachostat::serve {

class StreamCall;

// The calls that are being answered. Thread-safe.
class OpenCalls {
 public:
  // False after stop(): the call must be refused, and end() not called.
  bool begin();
  void end();
  bool begin_stream(const std::shared_ptr<StreamCall>& stream);
  void end_stream(const std::shared_ptr<StreamCall>& stream);

  // Refuse new calls; streams answer what they have read and end.
  void stop();
  // False when the time came first.
  bool wait_until_none(std::chrono::steady_clock::time_point deadline);

 private:
  base::Mutex mutex_;
  base::CondVar changed_;
  bool stopping_ TS_GUARDED_BY(mutex_) = false;
  int unary_ TS_GUARDED_BY(mutex_) = 0;
  std::set<std::shared_ptr<StreamCall>> streams_ TS_GUARDED_BY(mutex_);
};

// What calls work with; all outlive them.
struct CallSetting {
  base::Clock& clock;
  const Repository& repository;
  OpenCalls& open;
};

grpc::Status to_grpc(const absl::Status& status);

// Starts a call and returns its reactor, which gRPC drives and which frees itself.
grpc::ServerUnaryReactor* start_call(const CallSetting& setting,
                                     grpc::CallbackServerContext& context,
                                     const grpc::ByteBuffer& request, grpc::ByteBuffer* response);
grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* start_stream(
    const CallSetting& setting, grpc::CallbackServerContext& context);

}  // namespace tachostat::serve
