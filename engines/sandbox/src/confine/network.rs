//! The instance's own network: a loopback interface and the sockets that the host listens on.

use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    AddressFamily, SocketAddrV4, SocketFlags, SocketType, bind, ipproto, listen, socket_with, sockopt,
};

use super::kernel;
use crate::message::{At, Fault};

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;

/// Switches on the loopback interface of a new network namespace.
pub(crate) fn raise() -> Result<(), Fault> {
    kernel::raise_loopback(tcp()?.as_fd())
}

/// Listens on `port` of this namespace's 127.0.0.1. A socket stays in the namespace where it was made, so
/// the host can accept from it what connects in here.
pub(crate) fn open(port: u16) -> Result<OwnedFd, Fault> {
    let step = || format!("listening on 127.0.0.1:{port}");
    let socket = tcp()?;
    sockopt::set_socket_reuseaddr(&socket, true).at(step())?;
    bind(&socket, &SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, port)).at(step())?;
    listen(&socket, BACKLOG).at(step())?;
    Ok(socket)
}

fn tcp() -> Result<OwnedFd, Fault> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::INET, SocketType::STREAM, flags, Some(ipproto::TCP)).at("making a socket")
}
