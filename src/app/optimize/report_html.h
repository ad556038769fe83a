// The report of an optimisation as one page that needs nothing else: no script, no font or picture
// from elsewhere.
#pragma once

#include <string>

#include "app/optimize/optimize_run.h"

namespace tachostat::app {

std::string to_html(const OptimizeResult& result);

}  // namespace tachostat::app
