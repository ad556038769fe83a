// Pieces of sentences that a comparison's reports share. Names in them are not yet made safe for
// any format.
#pragma once

#include <string>

#include "profile/compare.h"

namespace tachostat::profile {

std::string change_text(double ratio);              // "+4.4%"
std::string interval_text(const Ratio& ratio);      // "+1.0% to +8.2%"
std::string probability_text(double p);             // "p 0.0021", "p < 0.0001"
std::string percent_text(double share);             // "3%"
std::string verdict_text(const Comparison& whole);  // "regression: …", one sentence
std::string side_text(const ComparedSide& side);
// "slower", "slower, with everything else", "faster", "no change".
std::string change_word(const Compared& row);
// "since slice 12 of 32 of HEAD's run 3 …"; empty when nothing is known.
std::string since_text(const Compared& row);
// "2 of 31 tested layers changed; 74 hold under 1% each and were not tested".
std::string rest_text(const Comparison& whole);

}  // namespace tachostat::profile
