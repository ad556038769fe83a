// Owned, named threads. A thread stops when its owner asks and is joined by the owner's destructor.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <thread>

namespace tachostat::base {

// Names are cut to 15 characters by Linux.
void name_this_thread(const std::string& name);

// The kernel's thread id of the caller, as spans carry it.
int this_thread_id();

std::jthread start_thread(std::string name, std::function<void(std::stop_token)> body);

}  // namespace tachostat::base
