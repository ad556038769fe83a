#include "base/thread.h"

#include <pthread.h>
#include <unistd.h>

#include "base/mutex.h"

namespace tachostat::base {

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

int this_thread_id() { return gettid(); }

std::jthread start_thread(std::string name, std::function<void(std::stop_token)> body) {
  return std::jthread([name = std::move(name), body = std::move(body)](std::stop_token stop) {
    name_this_thread(name);
    body(std::move(stop));
  });
}

void sleep_until(const std::stop_token& stop, Time deadline) {
  Mutex mutex;
  CondVar wake;
  const std::stop_callback on_stop(stop, [&] {
    MutexLock lock(mutex);
    wake.notify_all();
  });
  MutexLock lock(mutex);
  if (!stop.stop_requested()) wake.wait_until(mutex, deadline);
}

}  // namespace tachostat::base
