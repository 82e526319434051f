use std::{fs, process::Command};

/// Processor, system and compiler, in words that name no host.
pub(crate) fn describe() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let count = values(&cpus, "processor").count();
    let model = values(&cpus, "model name").next().unwrap_or("a processor of unknown make");
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let compiler = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let compiler = String::from_utf8_lossy(&compiler);
    let compiler = compiler.split(" (").next().map_or("rustc of unknown version", str::trim);
    format!("{model}, {count} of them; {}, Linux {kernel}; {compiler}", system.unwrap_or("a system of unknown name"))
}

fn values<'a>(cpus: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
    let fields = cpus.lines().filter_map(|line| line.split_once(':'));
    fields.filter(move |(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}
