//! `pagoda doctor`: what this host can do.
