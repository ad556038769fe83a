// What commands that take long share: Ctrl-C, and a line on the terminal.
#pragma once

#include <string_view>

namespace tachostat::cli {

// From now on SIGINT only sets what interrupted() tells.
void catch_interrupt();
bool interrupted();

// One line on stderr that is overwritten, and gone with the object; nothing in a pipe.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::string_view line) const;

 private:
  const bool terminal_;
};

}  // namespace tachostat::cli
