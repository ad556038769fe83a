// Owned, named threads. A thread stops when its owner asks and is joined by the owner's destructor.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "base/clock.h"

namespace tachostat::base {

// Names are cut to 15 characters by Linux.
void name_this_thread(const std::string& name);

// The kernel's thread id of the caller, as spans carry it.
int this_thread_id();

std::jthread start_thread(std::string name, std::function<void(std::stop_token)> body);

// Returns at `deadline`, or as soon as somebody asks to stop; now and then a little before.
void sleep_until(const std::stop_token& stop, Time deadline);

}  // namespace tachostat::base
