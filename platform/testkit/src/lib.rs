//! A whole server inside a test: port 0, a clock that the test moves, a faulty disk.
