//! The kit that every service stands on: context, operations, ports, background tasks.
