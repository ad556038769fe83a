#include "probe/sensors/topology.h"

#include <nlohmann/json.hpp>

#include "probe/sensors/test_roots.h"

namespace tachostat::probe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Topology, KnowsBothKindsOfCoresOfALaptop) {
  const Topology topology = read_topology(at_root(root_of("intel_laptop")));
  EXPECT_EQ(topology.processor, "13th Gen Intel(R) Core(TM) i7-1370P");
  EXPECT_EQ(topology.packages, 1);
  EXPECT_EQ(topology.cores, 4);
  EXPECT_EQ(topology.threads(), 6);
  EXPECT_TRUE(topology.smt);
  ASSERT_EQ(topology.kinds.size(), 2U);
  EXPECT_EQ(topology.kinds[0].name, "performance");
  EXPECT_THAT(topology.kinds[1].cpus, ElementsAre(4, 5));
  ASSERT_EQ(topology.caches.size(), 4U);
  EXPECT_EQ(topology.caches[2].level, 2);
  EXPECT_THAT(topology.caches[2].shared_by,
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4, 5)));
  EXPECT_EQ(topology.caches[3].bytes, 24U << 20);
}

TEST(Topology, KnowsSocketsAndNodesOfAServer) {
  const Topology topology = read_topology(at_root(root_of("amd_server")));
  EXPECT_EQ(topology.packages, 2);
  EXPECT_EQ(topology.cores, 4);
  EXPECT_TRUE(topology.smt);
  EXPECT_THAT(topology.kinds, IsEmpty());
  EXPECT_THAT(topology.isolated, ElementsAre(7));
  EXPECT_THAT(topology.tickless, ElementsAre(7));
  // 0-6 by affinity, 0-3 by cpuset.
  EXPECT_THAT(topology.allowed, ElementsAre(0, 1, 2, 3));
  ASSERT_EQ(topology.nodes.size(), 2U);
  EXPECT_THAT(topology.nodes[1].cpus, ElementsAre(2, 3, 6, 7));
  EXPECT_THAT(topology.nodes[1].distance, ElementsAre(32, 10));
  EXPECT_EQ(topology.nodes[1].memory, 396000000ULL * 1024);
}

TEST(Topology, KnowsClustersByCapacity) {
  const Topology topology = read_topology(at_root(root_of("snapdragon")));
  EXPECT_EQ(topology.board, "Qualcomm Technologies, Inc. Robotics RB5");
  EXPECT_EQ(topology.packages, 1);
  EXPECT_EQ(topology.cores, 8);
  EXPECT_FALSE(topology.smt);
  ASSERT_EQ(topology.kinds.size(), 3U);
  EXPECT_EQ(topology.kinds[0].name, "capacity 1024");
  EXPECT_THAT(topology.kinds[0].cpus, ElementsAre(7));
}

TEST(Topology, ReadsTheCpusetOfAContainerOnVersion1) {
  EXPECT_THAT(read_topology(at_root(root_of("container_v1"))).allowed, ElementsAre(1, 2));
}

TEST(Topology, IsEmptyWhereNothingIsTold) {
  for (const char* machine : {"empty", "liars"}) {
    const Topology topology = read_topology(at_root(root_of(machine)));
    EXPECT_EQ(topology.threads(), 0);
    EXPECT_EQ(topology.packages, 0);
    EXPECT_THAT(topology.nodes, IsEmpty());
  }
}

TEST(Topology, IsWrittenAsJson) {
  const auto document =
      nlohmann::json::parse(to_json(read_topology(at_root(root_of("amd_server")))));
  EXPECT_EQ(document["threads"], 8);
  EXPECT_EQ(document["nodes"][0]["cpus"], "0-1,4-5");
  EXPECT_EQ(document["caches"][3]["instances"], 2);
  EXPECT_EQ(document["caches"][3]["shared_by"][1], "2-3,6-7");
}

}  // namespace
}  // namespace tachostat::probe
