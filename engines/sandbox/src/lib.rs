//! Confined processes: spawner, namespaces, cgroups, seccomp; knows nothing of AWS.
