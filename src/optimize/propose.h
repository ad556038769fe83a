// What proposers share, and how each is made. Each lives in the file of its name.
#pragma once

#include <memory>

#include "optimize/optimize.h"

namespace tachostat::optimize {

bool asks_for(const diagnose::Finding& finding, diagnose::Remedy::Kind remedy);
// The middle of the finding's interval.
double middle_gain(const diagnose::Finding& finding);
// The value of the finding's evidence by its metric; `otherwise` when it has none.
double evidence_of(const diagnose::Finding& finding, std::string_view metric, double otherwise);

std::unique_ptr<Proposer> make_precision();
std::unique_ptr<Proposer> make_threads_streams();
std::unique_ptr<Proposer> make_batch();
std::unique_ptr<Proposer> make_shapes();

}  // namespace tachostat::optimize
