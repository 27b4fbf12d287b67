//! The front door, knocked at by clients over real sockets.

mod drain;
mod large;
mod slow;
mod world;
