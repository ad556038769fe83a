// What an OpenVINO exception says, without its source positions: those name no file of the user's.
#pragma once

#include <exception>
#include <string>

namespace tachostat::model {

// One line, at most some hundred characters.
std::string reason_of(const std::exception& error);

}  // namespace tachostat::model
