// Which threads worked for each execution of a layer.
//
// A body is what one thread does of a parallel-for. On the thread of the request it is a worker
// span. On other threads oneTBB keeps a worker span open while the thread looks for more work, even
// into the next layers, so its end says little; but oneDNN marks each of its bodies there with a
// primitive span. Hence, for other threads: primitive spans that begin in the layer, where there
// are any; else worker spans that begin in it, cut at its end. When a worker span of another thread
// came over from an earlier layer and the layer has no primitive at all, nobody can tell whether
// that thread worked, and nothing is said of that execution.
#pragma once

#include <vector>

#include "profile/attribution.h"
#include "profile/intervals.h"

namespace tachostat::profile {

// Fills in LayerRun::threads. `layers` don't overlap in time and are sorted by it. The cost is that
// of sorting, whatever the spans.
void add_threads(const std::vector<Interval>& workers, const std::vector<Interval>& primitives,
                 const std::vector<LayerRun*>& layers);

}  // namespace tachostat::profile
