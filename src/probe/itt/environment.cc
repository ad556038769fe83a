// How instrumented libraries come to load this library: when their ITT part starts, on their first
// domain or task, it opens what the environment variable names. That is late enough for a program
// that is linked with this library: it sets the variable from its constructor, which runs before
// main() and before anything of an engine can be called.
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>

#include <string_view>

#include "probe/itt/collector.h"
#include "probe/itt/recorder.h"

namespace tachostat::probe::itt {
namespace {

constexpr const char* kVariable = "INTEL_LIBITTNOTIFY64";

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string set_variable() {
  const std::string self = library_path();
  if (self.empty()) return "the path of libtachostat_itt.so cannot be found out";
  const char* named = getenv(kVariable);
  // A copy of ours, from the environment of a parent that runs another build, has no say.
  if (named != nullptr && *named != '\0' && file_name(named) != file_name(self)) {
    return std::string(kVariable) + " names another collector, '" + named +
           "'; unset it to have spans";
  }
  if (setenv(kVariable, self.c_str(), 1) != 0) {
    return std::string(kVariable) + " cannot be set to '" + self + "'";
  }
  return "";
}

std::string& state() {
  static std::string& trouble = *new std::string(set_variable());
  return trouble;
}

__attribute__((constructor)) void at_load() { state(); }

}  // namespace

const std::string& trouble() { return state(); }

void prepare_environment() {
  stop_recording();
  state();
}

std::string library_path() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&prepare_environment), &info) == 0) return "";
  char resolved[PATH_MAX];
  return realpath(info.dli_fname, resolved) != nullptr ? resolved : "";
}

}  // namespace tachostat::probe::itt
