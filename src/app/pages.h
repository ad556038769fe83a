// The evidence plane's JSON pages, under /tachostat/v1/. docs/http-api.md describes them.
#pragma once

#include <functional>
#include <vector>

#include "app/model_server.h"
#include "app/sensing.h"
#include "probe/probe.h"
#include "serve/serve.h"

namespace tachostat::app {

// `model` gives the served model, or null while it is being loaded.
std::vector<serve::Route> make_pages(const std::function<ModelServer*()>& model,
                                     probe::SpanSource& spans, const Sensing& sensing);

}  // namespace tachostat::app
