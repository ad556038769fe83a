#include <algorithm>
#include <set>

#include "profile/attribution.h"
#include "profile/profile.h"

namespace tachostat::profile {

const LayerProfile* Profile::find(std::string_view layer) const {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const LayerProfile& one) { return one.name == layer; });
  return found == layers.end() ? nullptr : &*found;
}

double Profile::layer_total_ns() const {
  double total = 0;
  for (const LayerProfile& layer : layers) total += static_cast<double>(layer.time.sum());
  return total;
}

void Builder::add_session(std::uint64_t session, SessionInfo info) {
  sessions_[session] = std::move(info);
}

Builder::PerBucket& Builder::bucket_of(const Key& key) {
  const auto found = buckets_.find(key);
  if (found != buckets_.end()) return found->second;
  std::size_t kept = 0;
  auto rarest = buckets_.end();
  for (auto it = buckets_.lower_bound({key.first, ""});
       it != buckets_.end() && it->first.first == key.first; ++it, ++kept) {
    if (rarest == buckets_.end() ||
        it->second.request_time.count() < rarest->second.request_time.count()) {
      rarest = it;
    }
  }
  if (kept >= kMaxBuckets) buckets_.erase(rarest);
  return buckets_[key];
}

// Opens a new slice when the last one is full; when there would be too many, two become one.
void Builder::begin_request(PerBucket& bucket, std::uint64_t duration_ns) {
  const auto halve = [](std::vector<Slice>& slices) {
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (i % 2 == 0) {
        slices[i / 2] = slices[i];
      } else {
        slices[i / 2].count += slices[i].count;
        slices[i / 2].sum_ns += slices[i].sum_ns;
      }
    }
    slices.resize((slices.size() + 1) / 2);
  };
  if (bucket.slices.empty() || bucket.slices.back().count >= bucket.slice_requests) {
    if (bucket.slices.size() == Profile::kMostSlices) {
      halve(bucket.slices);
      for (auto& [name, layer] : bucket.layers) halve(layer.slices);
      bucket.slice_requests *= 2;
    }
    bucket.slices.emplace_back();
  }
  ++bucket.slices.back().count;
  bucket.slices.back().sum_ns += duration_ns;
  bucket.request_time.record(duration_ns);
}

void Builder::add_layer(PerBucket& bucket, const std::string& name, const LayerRun& run) {
  auto layer = bucket.layers.find(name);
  if (layer == bucket.layers.end()) {
    layer = bucket.layers.emplace(name, PerLayer{}).first;
    bucket.order.push_back(name);
  }
  const std::uint64_t wall = run.end_ns - run.begin_ns;
  layer->second.time.record(wall);
  layer->second.slices.resize(bucket.slices.size());
  ++layer->second.slices.back().count;
  layer->second.slices.back().sum_ns += wall;
  bucket.layer_ns += wall;
  if (run.threads.has_value()) layer->second.threads.add(*run.threads, wall);
}

void Builder::add(const trace::Trace& trace) {
  const Attribution attribution = attribute(trace);
  // Requests come thread by thread; slices are of time.
  std::vector<std::pair<std::size_t, std::size_t>> order;  // request, its first layer
  std::size_t at = 0;                                      // layers follow their requests
  for (std::size_t i = 0; i < attribution.requests.size(); ++i) {
    order.emplace_back(i, at);
    while (at < attribution.layers.size() && attribution.layers[at].request == i) ++at;
  }
  std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return attribution.requests[a.first].begin_ns < attribution.requests[b.first].begin_ns;
  });
  std::set<Key> touched;
  for (const auto& [i, first] : order) {
    const RequestRun& request = attribution.requests[i];
    const trace::ExecutionMark& mark = trace.marks[request.mark];
    if (!sessions_.contains(mark.session)) continue;
    const Key key(mark.session, mark.bucket);
    PerBucket& bucket = bucket_of(key);
    begin_request(bucket, request.end_ns - request.begin_ns);
    touched.insert(key);
    for (at = first; at < attribution.layers.size() && attribution.layers[at].request == i; ++at) {
      add_layer(bucket, trace.names[attribution.layers[at].name], attribution.layers[at]);
    }
  }
  for (const Key& key : touched) {
    const auto bucket = buckets_.find(key);
    if (bucket != buckets_.end()) bucket->second.dropped += trace.dropped;
  }
}

// Layers stand in the profile in another order than in the session.
void Builder::number_producers(const SessionInfo& info, Profile& profile) {
  std::map<std::string_view, int> places;
  for (std::size_t i = 0; i < profile.layers.size(); ++i) {
    places.emplace(profile.layers[i].name, static_cast<int>(i));
  }
  for (LayerProfile& layer : profile.layers) {
    for (Tensor& input : layer.inputs) {
      if (input.producer < 0) continue;
      const auto at = static_cast<std::size_t>(input.producer);
      const auto place = at < info.layers.size() ? places.find(info.layers[at].name) : places.end();
      input.producer = place == places.end() ? Tensor::kUnknown : place->second;
    }
  }
}

Profile Builder::profile_of(const SessionInfo& info, const std::string& name,
                            const PerBucket& bucket) {
  Profile profile{.model = info.model,
                  .model_hash = info.model_hash,
                  .variant = info.variant.id(),
                  .bucket = name,
                  .threads = std::max(1, info.threads),
                  .streams = std::max(1, info.streams),
                  .static_shapes = info.static_shapes || !info.variant.shapes.empty(),
                  .request_time = bucket.request_time,
                  .unattributed_ns = bucket.request_time.sum() - bucket.layer_ns,
                  .dropped_spans = bucket.dropped,
                  .slices = bucket.slices};
  std::map<std::string_view, const SessionInfo::Layer*> known;
  for (const SessionInfo::Layer& layer : info.layers) known.emplace(layer.name, &layer);

  const auto request_ns = static_cast<double>(bucket.request_time.sum());
  const auto append = [&](const std::string& layer, const PerLayer& measured) {
    LayerProfile one{.name = layer, .time = measured.time};
    const auto found = known.find(layer);
    if (found != known.end()) {
      const SessionInfo::Layer& is = *found->second;
      one.originals = is.originals;
      one.type = is.type;
      one.kernel = is.kernel;
      one.precision = is.precision;
      one.layout = is.layout;
      one.work = is.work;
      one.inputs = is.inputs;
      one.outputs = is.outputs;
      one.answers = is.answers;
    }
    one.slices = measured.slices;
    if (!one.slices.empty()) one.slices.resize(bucket.slices.size());
    one.share = static_cast<double>(measured.time.sum()) / request_ns;
    one.threads = measured.threads.stats(profile.threads);
    if (one.threads.idle_share >= 0) one.thread_efficiency = 1 - one.threads.idle_share;
    profile.layers.push_back(std::move(one));
  };
  for (const std::string& layer : bucket.order) append(layer, bucket.layers.find(layer)->second);
  std::set<std::string_view> listed;
  for (const SessionInfo::Layer& layer : info.layers) {
    if (!bucket.layers.contains(layer.name) && listed.insert(layer.name).second) {
      append(layer.name, {});
    }
  }
  number_producers(info, profile);
  return profile;
}

std::vector<Profile> Builder::profiles() const {
  std::vector<Profile> result;
  for (const auto& [key, bucket] : buckets_) {
    result.push_back(profile_of(sessions_.at(key.first), key.second, bucket));
  }
  return result;
}

void Builder::reset(std::uint64_t session) {
  std::erase_if(buckets_, [&](const auto& entry) { return entry.first.first == session; });
}

void Builder::remove(std::uint64_t session) {
  reset(session);
  sessions_.erase(session);
}

}  // namespace tachostat::profile
