#!/usr/bin/env python3
"""Trees of files that stand for whole machines: make_roots.py FOLDER writes FOLDER/NAME/{proc,sys,…} for each.

Sensors read below a root (src/probe/sensors/sensor.h), so a test gives them one of these. Contents are as the kernels of
such machines print them, cut down to what sensors read; figures that tests rely on are round. Each machine is one function
below: from a path to what the file holds, or to a Link.
"""
import pathlib
import shutil
import sys


class Link(str):
    """Where a symbolic link leads, relative to its folder."""


def under(folder, files):
    return {f"{folder}/{name}": content for name, content in files.items()}


def processor(number, package, core, siblings, caches):
    """Topology and caches of one processor; caches are (level, type, size, processors that share it)."""
    files = {"topology/physical_package_id": package, "topology/core_id": core, "topology/die_id": 0,
             "topology/thread_siblings_list": siblings}
    for index, (level, kind, size, shared) in enumerate(caches):
        files |= under(f"cache/index{index}", {"level": level, "type": kind, "size": size, "shared_cpu_list": shared,
                                               "coherency_line_size": 64, "ways_of_associativity": 8})
    return under(f"sys/devices/system/cpu/cpu{number}", files)


def cpufreq(policy, affected, now, cap, most, driver, governor, **more):
    files = {"scaling_cur_freq": now, "scaling_max_freq": cap, "cpuinfo_max_freq": most, "cpuinfo_min_freq": 400000,
             "affected_cpus": affected, "scaling_driver": driver, "scaling_governor": governor} | more
    return under(f"sys/devices/system/cpu/cpufreq/policy{policy}", files)


def zone(number, kind, millidegrees, trips=()):
    files = {"type": kind, "temp": millidegrees}
    for index, (trip, at) in enumerate(trips):
        files |= {f"trip_point_{index}_type": trip, f"trip_point_{index}_temp": at}
    return under(f"sys/class/thermal/thermal_zone{number}", files)


def cooling(number, kind, now, most):
    return under(f"sys/class/thermal/cooling_device{number}", {"type": kind, "cur_state": now, "max_state": most})


def hwmon(number, name, files, device=None):
    tree = under(f"sys/class/hwmon/hwmon{number}", {"name": name} | files)
    if device:
        tree[f"sys/class/hwmon/hwmon{number}/device"] = Link(f"../../../{device}")
    return tree


def node(number, processors, total_kib, free_kib, distance, numastat):
    hit, miss, foreign, interleave, local, other = numastat
    return under(f"sys/devices/system/node/node{number}", {
        "cpulist": processors, "distance": distance,
        "meminfo": f"\nNode {number} MemTotal:       {total_kib} kB\nNode {number} MemFree:        {free_kib} kB",
        "numastat": f"numa_hit {hit}\nnuma_miss {miss}\nnuma_foreign {foreign}\n"
                    f"interleave_hit {interleave}\nlocal_node {local}\nother_node {other}"})


def pressure(cpu, memory, io, folder="proc/pressure", name="{}"):
    def lines(some, full):
        return (f"some avg10={some[0]:.2f} avg60=0.50 avg300=0.10 total={some[1]}\n"
                f"full avg10={full[0]:.2f} avg60=0.20 avg300=0.05 total={full[1]}")
    return under(folder, {name.format("cpu"): lines(cpu, (0, 0)), name.format("memory"): lines(*memory),
                          name.format("io"): lines(*io)})


def process(allowed, threads, stat=(5000, 7, 1250, 250)):
    """/proc/self with its threads: (run ns, delay ns, slices, voluntary, involuntary, migrations) by number."""
    minor, major, user, system = stat
    first = min(threads)
    files = {
        "stat": f"{first} (tachostat (1) x) S 1 {first} {first} 0 -1 4194304 {minor} 0 {major} 0 {user} {system} 0 0 20 0 "
                f"{len(threads)} 0 123456 2147483648 65536 18446744073709551615",
        "status": f"Name:\ttachostat\nThreads:\t{len(threads)}\nCpus_allowed_list:\t{allowed}\nMems_allowed_list:\t0\n"
                  "voluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t1",
    }
    for number, (run, delay, slices, voluntary, involuntary, migrations) in threads.items():
        files |= under(f"task/{number}", {
            "schedstat": f"{run} {delay} {slices}",
            "status": f"Name:\tworker\nvoluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t{involuntary}",
            "sched": f"worker ({number}, #threads: {len(threads)})\n"
                     "-------------------------------------------------------------------\n"
                     f"se.exec_start                                :      18013678.899276\n"
                     f"se.nr_migrations                             :      {migrations:14d}"})
    return under("proc/self", files)


def processors(lines):
    """/proc/stat: per processor (user, nice, system, idle, iowait, irq, softirq, steal) in ticks of 10 ms."""
    total = [sum(line[column] for line in lines) for column in range(8)]
    rows = [("cpu ", total)] + [(f"cpu{number}", line) for number, line in enumerate(lines)]
    text = "\n".join(f"{name} {' '.join(str(value) for value in line)} 0 0" for name, line in rows)
    return {"proc/stat": text + "\nintr 1 2 3\nctxt 1000000\nbtime 1700000000"}


def intel_laptop():
    """ThinkPad with a Core i7-1370P: performance and efficient cores, RAPL, battery, throttling."""
    tree = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: 13th Gen Intel(R) Core(TM) i7-1370P",
            "proc/sys/kernel/perf_event_paranoid": 3,
            "sys/devices/system/cpu/online": "0-5", "sys/devices/system/cpu/isolated": "",
            "sys/devices/cpu_core/cpus": "0-3", "sys/devices/cpu_atom/cpus": "4-5",
            "sys/devices/system/cpu/intel_pstate/no_turbo": 0}
    for cpu in range(6):
        core = cpu // 2 * 4 if cpu < 4 else 16 + cpu
        siblings = f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}" if cpu < 4 else cpu
        l2 = siblings if cpu < 4 else "4-5"
        tree |= processor(cpu, 0, core, siblings, [
            (1, "Data", "48K" if cpu < 4 else "32K", siblings), (1, "Instruction", "32K", siblings),
            (2, "Unified", "1280K" if cpu < 4 else "2048K", l2), (3, "Unified", "24576K", "0-5")])
        tree |= under(f"sys/devices/system/cpu/cpu{cpu}/thermal_throttle", {
            # The threads of a core tell the same; the second thread of core 0 was looked at later.
            "core_throttle_count": [40, 41, 7, 7, 0, 0][cpu], "core_throttle_total_time_ms": [900, 920, 80, 80, 0, 0][cpu],
            "package_throttle_count": 120, "package_throttle_total_time_ms": 2500})
        tree |= cpufreq(cpu, cpu, 1400000 if cpu < 3 else 2100000, 4000000, 5000000, "intel_pstate", "powersave",
                        base_frequency=1900000, energy_performance_preference="balance_performance")
    tree |= {"sys/class/powercap/intel-rapl/enabled": 1}
    for zone_name, name, energy in [("intel-rapl:0", "package-0", 61000000000), ("intel-rapl:0:0", "core", 41000000000),
                                    ("intel-rapl:0:1", "uncore", 2000000000), ("intel-rapl:1", "psys", 150000000000),
                                    ("intel-rapl-mmio:0", "package-0", 61000000000)]:
        tree |= under(f"sys/class/powercap/{zone_name}", {"name": name, "energy_uj": energy, "enabled": 1,
                                                          "max_energy_range_uj": 262143328850})
    tree |= under("sys/class/powercap/intel-rapl:0", {"constraint_0_name": "long_term",
                                                      "constraint_0_power_limit_uw": 28000000})
    tree |= hwmon(0, "acpitz", {"temp1_input": 52000})
    tree |= hwmon(1, "nvme", {"temp1_input": 38850, "temp1_label": "Composite"}, "devices/nvme0")
    tree |= hwmon(2, "nvme", {"temp1_input": 41850, "temp1_label": "Composite"}, "devices/nvme1")
    tree |= {"sys/devices/nvme0/model": "SAMSUNG", "sys/devices/nvme1/model": "WD"}
    tree |= hwmon(3, "coretemp", {"temp1_input": 71000, "temp1_label": "Package id 0", "temp2_input": 71000,
                                  "temp2_label": "Core 0", "temp3_input": 64000, "temp3_label": "Core 4"})
    tree |= hwmon(4, "thinkpad", {"fan1_input": 3800, "temp1_input": 71000, "temp1_label": "CPU", "temp7_input": 0,
                                  "temp7_fault": 1})
    tree |= zone(0, "x86_pkg_temp", 71000, [("passive", 0), ("passive", 95000), ("critical", 105000)])
    tree |= zone(1, "acpitz", 52000)
    tree |= cooling(0, "Processor", 0, 3) | cooling(1, "Processor", 1, 4) | cooling(2, "intel_powerclamp", -1, 100)
    tree |= under("sys/class/power_supply/BAT0", {"type": "Battery", "status": "Discharging", "capacity": 87,
                                                  "power_now": 18500000, "energy_now": 45000000, "energy_full": 52000000})
    tree |= under("sys/class/power_supply/AC", {"type": "Mains", "online": 0})
    tree |= under("sys/class/power_supply/hidpp_battery_0", {"type": "Battery", "scope": "Device", "status": "Discharging",
                                                             "capacity": 50, "power_now": 1000})
    tree |= node(0, "0-5", 32560128, 12000000, "10", (9000000, 0, 0, 1000, 9000000, 0))
    tree |= pressure((2.50, 123456789), ((0.0, 1000000), (0.0, 900000)), ((1.0, 5000000), (0.5, 4000000)))
    tree |= {"proc/self/cgroup": "0::/user.slice/user-1000.slice/session-2.scope",
             "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"}
    tree |= under("sys/fs/cgroup", {"cpu.stat": "usage_usec 900000000\nuser_usec 800000000\nsystem_usec 100000000"})
    tree |= under("sys/fs/cgroup/user.slice/user-1000.slice/session-2.scope", {
        "cgroup.type": "domain", "memory.current": 2147483648, "memory.max": "max", "memory.high": "max",
        "cpu.stat": "usage_usec 5000000\nuser_usec 4000000\nsystem_usec 1000000"})
    tree |= processors([(1000, 10, 490, 8000, 200, 50, 150, 0)] * 6)
    tree |= process("0-5", {700: (4000000000, 200000000, 900, 800, 100, 12), 701: (1000000000, 50000000, 100, 90, 10, 3)})
    return tree


def amd_server():
    """Two-socket EPYC (8 processors shown of 256) with NUMA, RAPL, amd_energy and an isolated processor."""
    tree = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 9654 96-Core Processor",
            "proc/sys/kernel/perf_event_paranoid": 1,
            "sys/devices/system/cpu/online": "0-7", "sys/devices/system/cpu/isolated": "7",
            "sys/devices/system/cpu/nohz_full": "7", "sys/devices/system/cpu/cpufreq/boost": 1}
    for cpu in range(8):
        # Threads of a core are 4 apart: 0 and 4, … Each socket has two cores.
        core, package = cpu % 4, cpu % 4 // 2
        siblings = f"{cpu % 4},{cpu % 4 + 4}"
        l3 = f"{package * 2}-{package * 2 + 1},{package * 2 + 4}-{package * 2 + 5}"
        tree |= processor(cpu, package, core % 2, siblings, [
            (1, "Data", "32K", siblings), (1, "Instruction", "32K", siblings), (2, "Unified", "1024K", siblings),
            (3, "Unified", "32768K", l3)])
        tree |= cpufreq(cpu, cpu, 3700000 if cpu != 3 else 1500000, 3700000, 3700000, "amd-pstate-epp", "performance")
        tree |= {f"sys/devices/system/cpu/cpu{cpu}/acpi_cppc/nominal_freq": 2400}
    for package in range(2):
        tree |= under(f"sys/class/powercap/intel-rapl:{package}", {
            "name": f"package-{package}", "energy_uj": 1000000000 * (package + 1), "max_energy_range_uj": 65532610987,
            "enabled": 0})
        tree |= under(f"sys/class/powercap/intel-rapl:{package}:0", {
            "name": "core", "energy_uj": 300000000, "max_energy_range_uj": 65532610987, "enabled": 0})
    tree |= hwmon(0, "k10temp", {"temp1_input": 58125, "temp1_label": "Tctl"}, "devices/0000:00:18.3")
    tree |= hwmon(1, "k10temp", {"temp1_input": 61500, "temp1_label": "Tctl"}, "devices/0000:00:19.3")
    tree |= {"sys/devices/0000:00:18.3/vendor": "0x1022", "sys/devices/0000:00:19.3/vendor": "0x1022"}
    tree |= hwmon(2, "amd_energy", {"energy1_input": 2500000, "energy1_label": "Ecore000", "energy2_input": 900000000,
                                    "energy2_label": "Esocket0"})
    tree |= hwmon(3, "power_meter", {"power1_average": 412000000, "power1_average_interval": 1000})
    tree |= node(0, "0-1,4-5", 396000000, 200000000, "10 32", (5000000, 100, 2000, 50, 4900000, 100000))
    tree |= node(1, "2-3,6-7", 396000000, 150000000, "32 10", (6000000, 2000, 100, 50, 5800000, 200000))
    tree |= pressure((0.0, 10000), ((0.0, 0), (0.0, 0)), ((0.0, 0), (0.0, 0)))
    tree |= {"proc/self/cgroup": "0::/system.slice/tachostat.service",
             "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"}
    tree |= under("sys/fs/cgroup/system.slice", {"cpu.max": "max 100000", "memory.max": "max", "cgroup.type": "domain"})
    tree |= under("sys/fs/cgroup/system.slice/tachostat.service", {
        "cgroup.type": "domain", "cpu.max": "max 100000", "cpuset.cpus.effective": "0-3",
        "cpu.stat": "usage_usec 70000000\nuser_usec 60000000\nsystem_usec 10000000\nnr_periods 0\nnr_throttled 0\n"
                    "throttled_usec 0\nnr_bursts 0\nburst_usec 0",
        "memory.current": 1073741824, "memory.max": "max", "memory.high": "max", "memory.swap.current": 0,
        "memory.stat": "anon 900000000\nfile 100000000\ninactive_file 73741824",
        "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0"})
    tree |= process("0-6", {900: (1000000000, 1000, 10, 5, 5, 0)})
    return tree


def jetson_orin():
    """Jetson Orin Nano, JetPack 6: INA3221 by hwmon, nvpmodel at 15 W, GPU load and devfreq."""
    tree = {"proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0",
            "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd42",
            "proc/sys/kernel/perf_event_paranoid": 2,
            "sys/devices/system/cpu/online": "0-3",
            "etc/nvpmodel.conf": "# POWER_MODEL DEFINITIONS\n< POWER_MODEL ID=0 NAME=MAXN >\nCPU_ONLINE CORE_0 1\n\n"
                                 "< POWER_MODEL ID=2 NAME=15W >\nCPU_ONLINE CORE_0 1\nGPU MAX_FREQ 612000000\n"
                                 "< PM_CONFIG DEFAULT=2 >",
            "var/lib/nvpmodel/status": "pmode:0002 fmode:quiet",
            "sys/devices/platform/bus@0/17000000.gpu/load": 842}
    for cpu in range(4):
        tree |= processor(cpu, 0, cpu, cpu, [(1, "Data", "64K", cpu), (1, "Instruction", "64K", cpu),
                                             (2, "Unified", "256K", cpu), (3, "Unified", "2048K", "0-3")])
    tree |= cpufreq(0, "0 1 2 3", 1344000, 1344000, 1510400, "tegra194", "schedutil")
    tree |= hwmon(0, "soctherm_oc", {"oc1_event_cnt": 0, "oc1_throt_en": 1, "oc3_event_cnt": 5, "oc3_throt_en": 1})
    tree |= hwmon(1, "ina3221", {
        "in1_label": "VDD_IN", "in1_input": 4960, "curr1_input": 1500, "curr1_crit": 3000,
        "in2_label": "VDD_CPU_GPU_CV", "in2_input": 4960, "curr2_input": 500,
        "in3_label": "VDD_SOC", "in3_input": 4960, "curr3_input": 300,
        "in4_label": "sum of shunt voltages", "in4_input": 8}, "devices/1-0040")
    tree |= {"sys/devices/1-0040/name": "ina3221"}
    tree |= zone(0, "cpu-thermal", 48500, [("passive", 99000), ("critical", 104500)]) | zone(1, "gpu-thermal", 47843)
    # Zones of engines that are switched off do not answer: EAGAIN, here an empty file.
    tree |= zone(2, "cv0-thermal", "")
    tree |= cooling(0, "cpufreq-cpu0", 2, 16) | cooling(1, "devfreq-17000000.gpu", 0, 7)
    tree |= under("sys/class/devfreq/17000000.gpu", {"cur_freq": 612000000, "max_freq": 612000000, "min_freq": 306000000,
                                                     "available_frequencies": "306000000 408000000 510000000 612000000 "
                                                                              "816000000"})
    tree |= {"proc/self/cgroup": "0::/user.slice", "proc/self/mountinfo":
             "30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"}
    tree |= under("sys/fs/cgroup/user.slice", {"cgroup.type": "domain", "memory.current": 536870912})
    tree |= process("0-3", {50: (1000000, 0, 1, 1, 0, 0)})
    return tree


def raspberry_pi():
    """Raspberry Pi 5 with Raspberry Pi OS: firmware's word on throttling, under-voltage now and before."""
    tree = {"proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
            "proc/cpuinfo": "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\nModel\t\t: Raspberry Pi 5",
            "proc/sys/kernel/perf_event_paranoid": 2,
            "sys/devices/system/cpu/online": "0-3",
            # Under-voltage, capped and throttled now, and all of it since the start.
            "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "70005"}
    for cpu in range(4):
        tree |= processor(cpu, 0, cpu, cpu, [(1, "Data", "64K", cpu), (1, "Instruction", "64K", cpu),
                                             (2, "Unified", "512K", cpu), (3, "Unified", "2048K", "0-3")])
    tree |= cpufreq(0, "0 1 2 3", 1500000, 2400000, 2400000, "cpufreq-dt", "ondemand")
    tree |= hwmon(0, "cpu_thermal", {"temp1_input": 82900}) | hwmon(1, "rp1_adc", {"in1_input": 1465, "temp1_input": 55712})
    tree |= hwmon(2, "pwmfan", {"fan1_input": 8100, "pwm1": 250}) | hwmon(3, "rpi_volt", {"in0_lcrit_alarm": 1})
    tree |= zone(0, "cpu-thermal", 82900, [("critical", 110000), ("active", 50000), ("active", 60000)])
    tree |= cooling(0, "pwm-fan", 4, 4)
    # No memory controller: cgroup_disable=memory is the default there.
    tree |= {"proc/self/cgroup": "0::/user.slice/user-1000.slice",
             "proc/self/mountinfo": "30 24 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate"}
    tree |= under("sys/fs/cgroup/user.slice/user-1000.slice", {
        "cgroup.type": "domain", "cpu.max": "max 100000",
        "cpu.stat": "usage_usec 1000000\nuser_usec 1\nsystem_usec 1\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0"})
    tree |= process("0-3", {50: (1000000, 0, 1, 1, 0, 0)})
    return tree


def container_v1():
    """Docker on a version 1 host: no cgroup namespace, so paths are the host's and the mounts show the group as their top."""
    path = "/docker/0123abcd"
    tree = {"proc/self/cgroup": f"12:cpuset:{path}\n11:memory:{path}\n5:cpuacct,cpu:{path}\n1:name=systemd:{path}\n0::/",
            "proc/self/mountinfo": "\n".join(
                f"{number} 900 0:{number} {path} /sys/fs/cgroup/{name} ro,nosuid,nodev,noexec,relatime master:{number} - "
                f"cgroup cgroup rw,{name}"
                for number, name in [(901, "cpu,cpuacct"), (902, "memory"), (903, "cpuset")]),
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz",
            "sys/devices/system/cpu/online": "0-3"}
    for cpu in range(4):
        tree |= processor(cpu, 0, cpu // 2, f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}", [(1, "Data", "48K", cpu)])
    tree |= under("sys/fs/cgroup/cpu,cpuacct", {
        "cpu.cfs_quota_us": 150000, "cpu.cfs_period_us": 100000, "cpuacct.usage": 42000000000,
        "cpu.stat": "nr_periods 1000\nnr_throttled 250\nthrottled_time 12500000000"})
    tree |= under("sys/fs/cgroup/memory", {
        "memory.usage_in_bytes": 900000000, "memory.limit_in_bytes": 1073741824, "memory.failcnt": 3,
        "memory.stat": "cache 1000\nrss 2000\nhierarchical_memory_limit 1073741824\ntotal_inactive_file 100000000",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1"})
    tree |= {"sys/fs/cgroup/cpuset/cpuset.effective_cpus": "1-2"}
    tree |= process("0-3", {1: (5000000000, 2500000000, 100, 50, 50, 7)})
    return tree


def container_v2():
    """Kubernetes pod on version 2 with a cgroup namespace, its container nested in groups that have limits too."""
    tree = {"proc/self/cgroup": "0::/app",
            "proc/self/mountinfo": "700 600 0:30 / /proc rw - proc proc rw\n"
                                   "701 600 0:26 / /sys/fs/cgroup ro,nosuid,relatime - cgroup2 cgroup rw,nsdelegate",
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD EPYC 7R13 Processor",
            "sys/devices/system/cpu/online": "0-3"}
    for cpu in range(4):
        tree |= processor(cpu, 0, cpu, cpu, [(1, "Data", "32K", cpu)])
    tree |= under("sys/fs/cgroup", {
        "cgroup.type": "domain", "cpu.max": "200000 100000", "memory.max": 4294967296, "memory.high": "max",
        "memory.current": 3000000000,
        "cpu.stat": "usage_usec 90000000\nnr_periods 5000\nnr_throttled 400\nthrottled_usec 8000000"})
    tree |= under("sys/fs/cgroup/app", {
        "cgroup.type": "domain", "cpu.max": "300000 100000", "cpuset.cpus.effective": "0-1",
        "cpu.stat": "usage_usec 60000000\nnr_periods 3000\nnr_throttled 100\nthrottled_usec 2000000",
        "memory.current": 2000000000, "memory.max": 8589934592, "memory.high": 3221225472, "memory.swap.current": 0,
        "memory.stat": "anon 1500000000\nfile 500000000\ninactive_file 400000000",
        "memory.events": "low 0\nhigh 12\nmax 34\noom 1\noom_kill 1\noom_group_kill 0"})
    tree |= pressure((30.0, 60000000), ((5.0, 7000000), (2.5, 6000000)), ((0.0, 0), (0.0, 0)))
    tree |= pressure((80.0, 40000000), ((4.0, 5000000), (3.0, 4000000)), ((0.0, 0), (0.0, 0)),
                     "sys/fs/cgroup/app", "{}.pressure")
    # A host of eight, of which the container may use four.
    tree |= processors([(2000, 0, 1000, 5000, 0, 0, 0, 500)] * 4 + [(9000, 0, 0, 0, 0, 0, 0, 0)] * 4)
    tree |= process("0-3", {1: (5000000000, 2500000000, 100, 50, 50, 7)})
    return tree


def snapdragon():
    """Qualcomm RB5 with its vendor kernel: kgsl, three clusters, a battery gauge that gives negative currents."""
    tree = {"proc/device-tree/model": "Qualcomm Technologies, Inc. Robotics RB5\0", "sys/devices/soc0/machine": "QRB5165",
            "sys/devices/system/cpu/online": "0-7"}
    for cpu in range(8):
        tree |= processor(cpu, -1, cpu, cpu, [])
        tree |= {f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity": 446 if cpu < 4 else 861 if cpu < 7 else 1024}
    tree |= cpufreq(0, "0 1 2 3", 1804800, 1804800, 1804800, "qcom-cpufreq-hw", "schedutil")
    tree |= cpufreq(4, "4 5 6", 1209600, 1209600, 2419200, "qcom-cpufreq-hw", "schedutil")
    tree |= cpufreq(7, "7", 2841600, 2841600, 2841600, "qcom-cpufreq-hw", "schedutil")
    tree |= under("sys/class/kgsl/kgsl-3d0", {"gpubusy": " 450000 1000000", "gpuclk": 587000000, "max_gpuclk": 587000000,
                                              "temp": 51200, "thermal_pwrlevel": 1, "gpu_model": "Adreno650v2"})
    tree |= under("sys/class/devfreq/soc:qcom,cpu-cpu-llcc-bw", {"cur_freq": 2288, "max_freq": 15258})
    tree |= under("sys/class/power_supply/battery", {"type": "Battery", "status": "Discharging", "capacity": 64,
                                                     "current_now": -1500000, "voltage_now": 3900000, "temp": 312})
    tree |= under("sys/class/power_supply/usb", {"type": "USB", "online": 1, "current_now": 500000, "voltage_now": 5000000})
    return tree


def empty():
    """A machine that tells nothing."""
    return {"proc/version": "Linux version 6.1.0"}


def liars():
    """Values that cannot be true, texts where numbers belong, and files that are there but cannot be read."""
    tree = hwmon(0, "nvme", {"temp1_input": 65261850, "temp1_label": "Composite", "temp2_input": "garbage",
                             "temp3_input": "", "temp4_input": -128000, "temp5_input": 40000, "temp5_label": "honest"})
    tree |= hwmon(1, "power_meter", {"power1_average": 4294967295000000, "power2_average": -5000000})
    tree |= {"sys/class/hwmon/hwmon2": Link("../../devices/gone"), "sys/class/hwmon/hwmon1/temp1_input/file": "a folder"}
    tree |= under("sys/class/powercap/intel-rapl:0", {"name": "package-0", "energy_uj": 900, "max_energy_range_uj": 100})
    tree |= zone(0, "broken", -274000) | zone(1, "nan", "nan") | zone(2, "hexadecimal", "0x1000")
    tree |= cpufreq(0, 0, 99999999999, 1, 1, "liar", "liar") | cpufreq(1, 1, 0, 1, 1, "liar", "liar")
    tree |= under("sys/class/power_supply/BAT0", {"type": "Battery", "status": "Discharging", "capacity": 255,
                                                  "power_now": "1e400"})
    tree |= {"proc/pressure/cpu": "some avg10=abc total=-1\nfull total", "proc/self/stat": "1 (x",
             "proc/self/cgroup": "garbage\n::::\n0::/a/../../../../etc\n9:memory", "proc/self/mountinfo":
             "short\n1 2 3 4\n30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n31 24 0:27 / /x\\04 rw - cgroup x cpu",
             "sys/devices/system/cpu/online": "0-99999999999",
             "sys/fs/cgroup/cpu.max": "garbage", "sys/fs/cgroup/cpu.stat": "nr_periods -1\nnr_throttled x\nusage_usec -7"}
    return tree


MACHINES = [intel_laptop, amd_server, jetson_orin, raspberry_pi, container_v1, container_v2, snapdragon, empty, liars]


def write(root, tree):
    for path, content in tree.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            file.symlink_to(content)
        else:
            file.write_text(f"{content}\n")


def main():
    folder = pathlib.Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    for machine in MACHINES:
        write(folder / machine.__name__, machine())


if __name__ == "__main__":
    main()
